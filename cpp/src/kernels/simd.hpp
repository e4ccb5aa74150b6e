// The vector types of the variant being compiled. FASTCALOQ_VARIANT names its namespace; the
// compiler's flags choose the instructions.
//   F: kLanes floats; I: kLanes 32-bit words; M: kLanes truth values.
// Everything here is static and always inlined: no symbol leaves the object file, so the linker
// cannot merge code of one instruction set into another.
#pragma once

#ifndef FASTCALOQ_VARIANT
#error "compile with -DFASTCALOQ_VARIANT=<name of the instruction set>"
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#include "simd_avx512.hpp"
#elif defined(__AVX2__) && defined(__FMA__)
#include "simd_avx2.hpp"
#else
#include "simd_plain.hpp"
#endif
