# find_package(FastCaloSim) finds the stand-ins here.
add_library(FastCaloSim::FastCaloSim INTERFACE IMPORTED)
target_include_directories(FastCaloSim::FastCaloSim INTERFACE "${CMAKE_CURRENT_LIST_DIR}")
