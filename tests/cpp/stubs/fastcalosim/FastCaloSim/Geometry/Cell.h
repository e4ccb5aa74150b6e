#include "fastcalosim_stubs.h"
