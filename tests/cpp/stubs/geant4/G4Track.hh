#include "geant4_stubs.hh"
