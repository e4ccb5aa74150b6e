# `cmake --install`: headers, both libraries, the package that find_package(FastCaloQ) finds,
# fastcaloq.pc and the models. In a wheel all of that (but the shared library and fastcaloq.pc) lies
# inside the Python package.
include(CMakePackageConfigHelpers)
if(SKBUILD)
  set(CMAKE_INSTALL_LIBDIR fastcaloq_infer/cpp/lib)
  set(CMAKE_INSTALL_INCLUDEDIR fastcaloq_infer/cpp/include)
  set(_models fastcaloq_infer/models)
  set(FASTCALOQ_INSTALL ON)
else()
  include(GNUInstallDirs)
  set(_models "${CMAKE_INSTALL_DATADIR}/fastcaloq/models")
  option(FASTCALOQ_INSTALL "Let `cmake --install` install the library" ${PROJECT_IS_TOP_LEVEL})
endif()
set(_package "${CMAKE_INSTALL_LIBDIR}/cmake/FastCaloQ")

# fastcaloq_component(<name> <target> [FIND <"package version">...] [MODULES <file>...])
# Makes a static library, built on the public interface, the component <name> of the package: target
# FastCaloQ::<name>, linked to the library of the user's choice. Its headers are in the folder include
# beside the calling CMakeLists.txt; FIND lists the packages its users need, MODULES the find modules
# of ours by which they are found.
function(fastcaloq_component name target)
  cmake_parse_arguments(PARSE_ARGV 2 component "" "" "FIND;MODULES")
  add_library(FastCaloQ::${name} ALIAS ${target})
  target_link_libraries(${target} PUBLIC "$<BUILD_INTERFACE:fastcaloq>")
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  if(NOT FASTCALOQ_INSTALL)
    return()
  endif()
  install(TARGETS ${target} EXPORT FastCaloQ-${name} ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
          INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  install(EXPORT FastCaloQ-${name} NAMESPACE FastCaloQ:: FILE FastCaloQ-${name}-targets.cmake
          DESTINATION "${_package}")
  set(COMPONENT ${name})
  list(JOIN component_FIND "\" \"" FIND)
  configure_file("${PROJECT_SOURCE_DIR}/cpp/cmake/component.cmake.in" FastCaloQ-${name}.cmake @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/FastCaloQ-${name}.cmake" ${component_MODULES}
          DESTINATION "${_package}")
endfunction()

if(NOT FASTCALOQ_INSTALL)
  return()
endif()
set(_libraries fastcaloq)
if(TARGET fastcaloq_shared)
  list(APPEND _libraries fastcaloq_shared)
endif()
install(TARGETS ${_libraries} EXPORT FastCaloQTargets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT FastCaloQTargets NAMESPACE FastCaloQ:: DESTINATION "${_package}")
configure_package_config_file(
  cmake/FastCaloQConfig.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/FastCaloQConfig.cmake"
  INSTALL_DESTINATION "${_package}" PATH_VARS _models)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file("${CMAKE_CURRENT_BINARY_DIR}/FastCaloQConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/FastCaloQConfig.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/FastCaloQConfigVersion.cmake"
        DESTINATION "${_package}")

if(NOT SKBUILD)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/models/" DESTINATION "${_models}"
          FILES_MATCHING PATTERN model.onnx PATTERN configs EXCLUDE PATTERN studies EXCLUDE)
  # Relative to where it lies, so that the tree can be moved; absolute folders stay as they are.
  foreach(folder LIBDIR INCLUDEDIR)
    set(PC_${folder} "${CMAKE_INSTALL_${folder}}")
    if(NOT IS_ABSOLUTE "${PC_${folder}}")
      set(PC_${folder} "\${prefix}/${PC_${folder}}")
    endif()
  endforeach()
  set(PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
  if(NOT IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    file(RELATIVE_PATH PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
    string(REGEX REPLACE "/$" "" PC_PREFIX "\${pcfiledir}/${PC_PREFIX}")
  endif()
  configure_file(cmake/fastcaloq.pc.in fastcaloq.pc @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/fastcaloq.pc"
          DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endif()
