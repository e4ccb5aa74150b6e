/// \file
/// From hits to the cells of a detector.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "fastcaloq/export.hpp"
#include "fastcaloq/hits.hpp"
#include "fastcaloq/model_card.hpp"

namespace fastcaloq {

/// Finds the cell of a hit. Implemented by whoever knows the geometry; called from many threads.
class FASTCALOQ_API CellMap {
 public:
  static constexpr std::uint64_t no_cell = ~std::uint64_t{0};

  CellMap() = default;
  CellMap(const CellMap&) = delete;
  CellMap& operator=(const CellMap&) = delete;
  virtual ~CellMap();

  /// Number of the cell, or no_cell where there is none.
  virtual std::uint64_t cell(const Hit& hit) const noexcept = 0;
};

/// Energy of cells by their number, MeV.
using CellEnergies = std::unordered_map<std::uint64_t, float>;

/// Adds hits to cells. \return MeV of the hits that have no cell
FASTCALOQ_API double deposit(const std::vector<Hit>& hits, const CellMap& map, CellEnergies& cells);

/// One layer of a GridCellMap.
struct GridLayer {
  int layer = 0;
  Interval eta;   ///< low <= eta < high
  int n_eta = 1;  ///< cells of equal size
  int n_phi = 1;  ///< cells around the whole circle, from -pi
};

/// Cells on a regular grid in eta and phi: for tests and examples. Cells are numbered layer after layer
/// in the order given, eta after eta, phi fastest.
class FASTCALOQ_API GridCellMap final : public CellMap {
 public:
  /// \throws InputError an empty interval, a number of cells below 1, a layer twice
  explicit GridCellMap(std::vector<GridLayer> layers);
  ~GridCellMap() override;

  std::uint64_t cell(const Hit& hit) const noexcept override;
  std::uint64_t n_cells() const noexcept { return n_cells_; }

 private:
  std::vector<GridLayer> layers_;
  std::uint64_t n_cells_ = 0;
};

}  // namespace fastcaloq
