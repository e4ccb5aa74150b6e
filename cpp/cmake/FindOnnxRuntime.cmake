# find_package(OnnxRuntime [version]): ONNX Runtime's headers and library, wherever they come from: a
# distribution's package, an unpacked release, or any prefix. Looks where CMake looks (the system,
# CMAKE_PREFIX_PATH) and first in ONNXRUNTIME_ROOT, a CMake or an environment variable.
#
#   OnnxRuntime::OnnxRuntime   the imported library
#   OnnxRuntime_VERSION        1.N, of the headers: N is their ORT_API_VERSION. The library's ABI is
#                              stable, so it may be a later one.
#
# ONNX Runtime's own CMake package is not asked: not every release has one.
find_path(
  OnnxRuntime_INCLUDE_DIR onnxruntime_cxx_api.h
  HINTS "${ONNXRUNTIME_ROOT}" ENV ONNXRUNTIME_ROOT
  PATH_SUFFIXES include/onnxruntime onnxruntime include include/onnxruntime/core/session
                onnxruntime/core/session
  DOC "Folder of onnxruntime_cxx_api.h")
find_library(
  OnnxRuntime_LIBRARY
  NAMES onnxruntime libonnxruntime.so.1
  HINTS "${ONNXRUNTIME_ROOT}" ENV ONNXRUNTIME_ROOT
  PATH_SUFFIXES lib lib64
  DOC "ONNX Runtime's shared library")
mark_as_advanced(OnnxRuntime_INCLUDE_DIR OnnxRuntime_LIBRARY)

unset(OnnxRuntime_VERSION)
if(OnnxRuntime_INCLUDE_DIR)
  file(STRINGS "${OnnxRuntime_INCLUDE_DIR}/onnxruntime_c_api.h" _onnxruntime_line
       REGEX "^#define ORT_API_VERSION [0-9]+")
  if(_onnxruntime_line MATCHES "ORT_API_VERSION ([0-9]+)")
    set(OnnxRuntime_VERSION "1.${CMAKE_MATCH_1}")
  endif()
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  OnnxRuntime
  REQUIRED_VARS OnnxRuntime_LIBRARY OnnxRuntime_INCLUDE_DIR
  VERSION_VAR OnnxRuntime_VERSION)

if(OnnxRuntime_FOUND AND NOT TARGET OnnxRuntime::OnnxRuntime)
  add_library(OnnxRuntime::OnnxRuntime UNKNOWN IMPORTED)
  set_target_properties(
    OnnxRuntime::OnnxRuntime
    PROPERTIES IMPORTED_LOCATION "${OnnxRuntime_LIBRARY}"
               INTERFACE_INCLUDE_DIRECTORIES "${OnnxRuntime_INCLUDE_DIR}")
endif()
