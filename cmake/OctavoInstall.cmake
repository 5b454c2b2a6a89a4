# What `cmake --install` puts where: headers, liboctavo_cxx.a, liboctavo.so, the command, and what finds them.
option(OCTAVO_INSTALL "Install rules" ${PROJECT_IS_TOP_LEVEL})
if(NOT OCTAVO_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/octavo)
set_target_properties(octavo_core PROPERTIES EXPORT_NAME core)

# Two sets: core and the C library need nothing else installed, the static C++ library needs all it was built of.
install(TARGETS octavo_core EXPORT octavoTargets)
install(TARGETS octavo EXPORT octavoStaticTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/octavo DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
if(TARGET octavo_capi)
  install(TARGETS octavo_capi EXPORT octavoTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
          INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(FILES ${PROJECT_SOURCE_DIR}/capi/octavo.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  set(OCTAVO_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  file(RELATIVE_PATH OCTAVO_PC_TO_PREFIX /prefix/${OCTAVO_PC_DIR} /prefix)
  string(REGEX REPLACE "/$" "" OCTAVO_PC_TO_PREFIX ${OCTAVO_PC_TO_PREFIX})
  configure_file(${CMAKE_CURRENT_LIST_DIR}/octavo.pc.in ${PROJECT_BINARY_DIR}/octavo.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/octavo.pc DESTINATION ${OCTAVO_PC_DIR})
endif()
if(TARGET octavo_cli)
  install(TARGETS octavo_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

install(EXPORT octavoTargets NAMESPACE octavo:: DESTINATION ${package_dir})
install(EXPORT octavoStaticTargets NAMESPACE octavo:: DESTINATION ${package_dir})
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/octavoConfig.cmake.in ${PROJECT_BINARY_DIR}/octavoConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
# While the major number is 0, a minor release may change the C++ API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/octavoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/octavoConfig.cmake ${PROJECT_BINARY_DIR}/octavoConfigVersion.cmake
        DESTINATION ${package_dir})
