# `cmake --install`: headers, the static library and the CMake package that
# find_package(FastCaloQ) finds. The kernels' archive goes along; nothing of theirs is public.
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/FastCaloQ")

install(TARGETS fastcaloq fastcaloq_kernels EXPORT FastCaloQTargets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT FastCaloQTargets NAMESPACE FastCaloQ:: DESTINATION "${_package_dir}")
if(TARGET fastcaloq_served)
  install(TARGETS fastcaloq_served EXPORT FastCaloQServedTargets
          ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
  install(DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/served/include/"
          DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(EXPORT FastCaloQServedTargets NAMESPACE FastCaloQ:: DESTINATION "${_package_dir}")
endif()
configure_package_config_file(cmake/FastCaloQConfig.cmake.in
                              "${CMAKE_CURRENT_BINARY_DIR}/FastCaloQConfig.cmake"
                              INSTALL_DESTINATION "${_package_dir}")
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/FastCaloQConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/FastCaloQConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/FastCaloQConfigVersion.cmake"
        DESTINATION "${_package_dir}")
