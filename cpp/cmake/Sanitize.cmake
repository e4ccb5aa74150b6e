# Builds everything with run-time checks: for tests and fuzzing, not for production.
set(FASTCALOQ_SANITIZE "" CACHE STRING
    "Sanitizers to build everything with: address,undefined or thread; empty for none")
if(FASTCALOQ_SANITIZE)
  add_compile_options(-fsanitize=${FASTCALOQ_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${FASTCALOQ_SANITIZE})
endif()
