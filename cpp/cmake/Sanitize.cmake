# Builds everything with run-time checks: for tests and fuzzing, not for production.
set(FASTCALOQ_SANITIZE "" CACHE STRING
    "Sanitizers to build everything with: address,undefined or thread; empty for none")
option(FASTCALOQ_BUILD_FUZZERS "Build the fuzzer of model files (needs Clang and the tests)" OFF)

set(_sanitizers ${FASTCALOQ_SANITIZE})
if(FASTCALOQ_BUILD_FUZZERS)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "the fuzzer is Clang's and the compiler is ${CMAKE_CXX_COMPILER_ID}: set "
                        "CMAKE_CXX_COMPILER=clang++ or FASTCALOQ_BUILD_FUZZERS=OFF")
  endif()
  string(JOIN "," _sanitizers ${_sanitizers} fuzzer-no-link)
endif()
if(_sanitizers)
  add_compile_options(-fsanitize=${_sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer
                      -g1)
  add_link_options(-fsanitize=${_sanitizers})
endif()
