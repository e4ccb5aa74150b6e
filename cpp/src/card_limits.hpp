/// \file
/// What is sane in a card: beyond these bounds a number is a mistake, not a model.
#pragma once

#include <cstddef>

namespace fastcaloq::detail {

constexpr double max_energy = 1e12;  // MeV
constexpr double max_eta = 20.0;
constexpr double max_length = 1e6;  // mm
constexpr double tiny = 1e-30;
constexpr double no_dependence = 1e30;  // half width of an eta that does not matter
constexpr double large = 1e6;
constexpr int max_layers = 64;
constexpr std::size_t max_voxels = 100000;  // the finest public calorimeter sample has 40,500
constexpr int max_width = 8192;

}  // namespace fastcaloq::detail
