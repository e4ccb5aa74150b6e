#!/bin/sh
# Whether clang++ is here with its run-time library.
echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' |
  clang++ -fsanitize=address,fuzzer -x c++ - -o /dev/null 2>/dev/null
