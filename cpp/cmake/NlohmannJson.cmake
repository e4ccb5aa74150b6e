# Headers of nlohmann-json, private to the library: from the system (any CMake package), or else from
# the PyPI package `nlohmann-json`, which is a build requirement of the Python package.
find_package(nlohmann_json 3.11 CONFIG QUIET GLOBAL)
if(NOT TARGET nlohmann_json::nlohmann_json)
  find_package(Python REQUIRED COMPONENTS Interpreter)
  execute_process(
    COMMAND "${Python_EXECUTABLE}" -c
            "import importlib.util as u; print(u.find_spec('nlohmann_json').submodule_search_locations[0])"
    OUTPUT_VARIABLE _nlohmann_root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  find_path(FASTCALOQ_NLOHMANN_INCLUDE nlohmann/json.hpp PATHS "${_nlohmann_root}/include"
            NO_DEFAULT_PATH NO_CACHE)
  if(NOT FASTCALOQ_NLOHMANN_INCLUDE)
    message(FATAL_ERROR "nlohmann-json (3.11 or later) reads the model card and was not found: "
                        "install it with 'pip install nlohmann-json' or from your distribution "
                        "(Debian: nlohmann-json3-dev)")
  endif()
  add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED GLOBAL)
  target_include_directories(nlohmann_json::nlohmann_json SYSTEM
                             INTERFACE "${FASTCALOQ_NLOHMANN_INCLUDE}")
endif()
