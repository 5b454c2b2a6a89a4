# octavo_add_module(NAME [LINK libraries...]): the sources of the current folder and its sub-folders as one
# object library, octavo_NAME. Adding a file needs no change here or there.
function(octavo_add_module name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_library(octavo_${name} OBJECT ${sources})
  target_link_libraries(octavo_${name} PUBLIC octavo_core PRIVATE octavo_compile ${ARG_LINK})
  target_include_directories(octavo_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  set_property(GLOBAL APPEND PROPERTY OCTAVO_MODULES octavo_${name})
  set_property(GLOBAL APPEND PROPERTY OCTAVO_MODULE_LIBRARIES ${ARG_LINK})
endfunction()

# octavo_add_test(NAME MODULES modules... [LINK libraries...]): the sources of the current folder as the Catch2
# program test_NAME, built from the objects of these modules alone, so that a module's tests build without the
# modules above it. Registered with ctest under NAME.
function(octavo_add_test name)
  cmake_parse_arguments(ARG "" "" "MODULES;LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${name} ${sources})
  list(TRANSFORM ARG_MODULES PREPEND octavo_)
  target_link_libraries(test_${name} PRIVATE octavo_core octavo_compile octavo_test_main ${ARG_MODULES} ${ARG_LINK})
  target_compile_definitions(test_${name} PRIVATE OCTAVO_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
