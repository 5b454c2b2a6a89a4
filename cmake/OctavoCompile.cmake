# Flags that every target of the project is built with, and nothing else is.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(octavo_compile INTERFACE)
# A fused multiply-add rounds once where the specification rounds twice: results would differ between CPUs.
target_compile_options(octavo_compile INTERFACE -ffp-contract=off)
target_compile_options(octavo_compile INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wcast-align
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual -Wextra-semi>
  $<$<BOOL:${OCTAVO_WERROR}>:-Werror>)
# GCC 12 warns of overlapping copies in its own std::string (bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(octavo_compile INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(OCTAVO_SANITIZE)
  target_compile_options(octavo_compile INTERFACE -fsanitize=${OCTAVO_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all
    # GCC's own manual warns of false alarms here: the checks that sanitizers insert hide initializations and sizes.
    -Wno-maybe-uninitialized -Wno-stringop-overflow)
  target_link_options(octavo_compile INTERFACE -fsanitize=${OCTAVO_SANITIZE})
endif()
