# find_package(Geant4) finds the stand-ins here.
add_library(stand_in_geant4 INTERFACE IMPORTED)
target_include_directories(stand_in_geant4 INTERFACE "${CMAKE_CURRENT_LIST_DIR}")
set(Geant4_LIBRARIES stand_in_geant4)
