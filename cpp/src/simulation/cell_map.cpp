#include "fastcaloq/cell_map.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "fastcaloq/error.hpp"

namespace fastcaloq {

CellMap::~CellMap() = default;
GridCellMap::~GridCellMap() = default;

double deposit(const std::vector<Hit>& hits, const CellMap& map, CellEnergies& cells) {
  double lost = 0.0;
  for (const Hit& hit : hits) {
    const std::uint64_t cell = map.cell(hit);
    if (cell == CellMap::no_cell) {
      lost += double{hit.E};
    } else {
      cells[cell] += hit.E;
    }
  }
  return lost;
}

GridCellMap::GridCellMap(std::vector<GridLayer> layers) : layers_(std::move(layers)) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const GridLayer& layer = layers_[i];
    const std::string name = "layer " + std::to_string(layer.layer) + " of the grid";
    if (!(layer.eta.low < layer.eta.high) || layer.n_eta < 1 || layer.n_phi < 1) {
      throw InputError(name +
                       " has no cells: give eta.low < eta.high and at least one cell each way");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (layers_[j].layer == layer.layer) {
        throw InputError(name + " is given twice, so its cells are ambiguous: give it once");
      }
    }
    n_cells_ += static_cast<std::uint64_t>(layer.n_eta) * static_cast<std::uint64_t>(layer.n_phi);
  }
}

std::uint64_t GridCellMap::cell(const Hit& hit) const noexcept {
  constexpr double pi = 3.14159265358979323846;
  std::uint64_t first = 0;
  for (const GridLayer& layer : layers_) {
    const auto n_eta = static_cast<std::uint64_t>(layer.n_eta);
    const auto n_phi = static_cast<std::uint64_t>(layer.n_phi);
    if (layer.layer == hit.layer) {
      const double along = (double{hit.eta} - layer.eta.low) / (layer.eta.high - layer.eta.low);
      const double around = (double{hit.phi} + pi) / (2 * pi);
      if (!(along >= 0.0 && along < 1.0) || !std::isfinite(around)) return no_cell;
      const auto i = std::min(n_eta - 1, static_cast<std::uint64_t>(along * double(layer.n_eta)));
      // pi and -pi are one place.
      const double turn = around - std::floor(around);
      const auto j = std::min(n_phi - 1, static_cast<std::uint64_t>(turn * double(layer.n_phi)));
      return first + i * n_phi + j;
    }
    first += n_eta * n_phi;
  }
  return no_cell;
}

}  // namespace fastcaloq
