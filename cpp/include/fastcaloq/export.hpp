/// \file
/// Symbol visibility: everything is hidden except what carries FASTCALOQ_API.
#pragma once

#if defined(_WIN32)
#define FASTCALOQ_API
#else
#define FASTCALOQ_API __attribute__((visibility("default")))
#endif
