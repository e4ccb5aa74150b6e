#include "fastcaloq/cell_map.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "fake_source.hpp"

namespace fastcaloq {
namespace {

Hit at(int layer, float eta, float phi, float E = 1.0F) {
  return {layer, eta, phi, 1500.0F, 0.0F, E};
}

TEST(GridCellMap, NumbersTheCellsOfEveryLayer) {
  const GridCellMap map({{1, {0.0, 1.0}, 4, 8}, {2, {-1.0, 1.0}, 2, 1}});
  EXPECT_EQ(map.n_cells(), 34U);
  EXPECT_EQ(map.cell(at(1, 0.0F, -3.14F)), 0U);
  EXPECT_EQ(map.cell(at(1, 0.0F, -2.0F)), 1U);
  EXPECT_EQ(map.cell(at(1, 0.99F, 3.14F)), 31U);
  EXPECT_EQ(map.cell(at(2, -0.1F, 0.0F)), 32U);
  EXPECT_EQ(map.cell(at(2, 0.1F, 0.0F)), 33U);
  EXPECT_EQ(map.cell(at(1, 1.0F, 0.0F)), CellMap::no_cell);
  EXPECT_EQ(map.cell(at(1, -0.01F, 0.0F)), CellMap::no_cell);
  EXPECT_EQ(map.cell(at(3, 0.5F, 0.0F)), CellMap::no_cell);
  EXPECT_EQ(map.cell(at(1, std::nanf(""), 0.0F)), CellMap::no_cell);
  EXPECT_EQ(map.cell(at(1, 0.5F, std::nanf(""))), CellMap::no_cell);
  // pi is -pi, give or take the float's rounding.
  EXPECT_LT(map.cell(at(1, 0.5F, 3.1415928F)), map.n_cells());
}

TEST(GridCellMap, RefusesGridsWithoutCells) {
  EXPECT_THROW(GridCellMap({{1, {1.0, 1.0}, 1, 1}}), InputError);
  EXPECT_THROW(GridCellMap({{1, {0.0, 1.0}, 0, 1}}), InputError);
  EXPECT_THROW(GridCellMap({{1, {0.0, 1.0}, 1, 0}}), InputError);
  EXPECT_THROW(GridCellMap({{1, {0.0, 1.0}, 1, 1}, {1, {0.0, 2.0}, 1, 1}}), InputError);
}

TEST(CellMap, KeepsTheEnergyOfTheHits) {
  const GridCellMap map({{1, {0.0, 1.0}, 10, 10}});
  CellEnergies cells;
  EXPECT_EQ(deposit({at(1, 0.51F, 1.0F, 2.0F), at(1, 0.52F, 1.01F, 3.0F), at(1, 2.0F, 1.0F, 7.0F)},
                    map, cells),
            7.0);
  EXPECT_EQ(cells.size(), 1U);
  EXPECT_EQ(cells.begin()->second, 5.0F);
  deposit({at(1, 0.51F, 1.0F, 2.0F)}, map, cells);
  EXPECT_EQ(cells.begin()->second, 7.0F);
}

TEST(CellMap, TakesAWholeShower) {
  const test::Fake fake;
  const test::Particle particle;
  SimulationState state;
  ASSERT_EQ(fake.parametrization.simulate(state, particle.truth, particle.extrapolation),
            ReturnCode::Success);
  const GridCellMap map(
      {{1, {0.0, 1.0}, 333, 64}, {2, {0.0, 1.0}, 40, 256}, {12, {0.0, 1.0}, 10, 64}});
  CellEnergies cells;
  EXPECT_EQ(deposit(state.hits(), map, cells), 0.0);
  double sum = 0.0;
  for (const auto& [cell, energy] : cells) sum += double{energy};
  EXPECT_NEAR(sum, state.E(), 1e-5 * state.E());
  EXPECT_GT(cells.size(), 5U);
}

}  // namespace
}  // namespace fastcaloq
