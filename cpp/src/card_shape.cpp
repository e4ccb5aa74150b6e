#include "card_shape.hpp"

#include "card_architecture.hpp"
#include "card_limits.hpp"
#include "card_parity.hpp"

namespace fastcaloq::detail {
namespace {

/// Voxels of the binning, refused where no order of them could be held in memory.
std::size_t checked_voxels(const JsonObject& object, const BinningCard& binning) {
  std::size_t n_voxels = 0;
  bool shared = false;
  for (const LayerCard& layer : binning.layers) {
    n_voxels += layer.n_voxels();
    shared = shared || layer.n_voxels() > 1;
    if (n_voxels > max_voxels) {
      object.fail("kind", "stands beside a binning of more than " + std::to_string(max_voxels) +
                              " voxels, which is more than any calorimeter's");
    }
  }
  if (!shared) object.fail("kind", "stands beside a binning without voxels to share energy among");
  return n_voxels;
}

ConditioningCard parse_own_conditioning(JsonObject& object, const ModelCard& card) {
  ConditioningCard own = parse_conditioning(object.object("conditioning"), card.extrapolation);
  const bool both =
      own.kind != ConditioningKind::none && card.conditioning.kind != ConditioningKind::none;
  if (both && own.mode != card.conditioning.mode) {
    object.fail("conditioning.mode", "is another than that of the layer energies");
  }
  return own;
}

bool is_served(const ConditioningCard& card) {
  return card.mode == ConditioningMode::served;
}

}  // namespace

ShapeCard parse_shape(JsonObject object, const ModelCard& card) {
  ShapeCard shape;
  object.choice("kind", {"autoregressive"});
  // With a stride of one a voxel would need the one of the inner ring that is drawn beside it.
  shape.stride = object.integer("stride", 2, 64);
  shape.offset = object.integer("offset", 0, 1024);
  shape.units = object.integer("units", 1, 256);
  shape.context = object.integer("context", 1, 256);
  shape.head = object.integer("head", 1, 1024);
  shape.bins = object.integer("bins", 2, 64);
  shape.tail_bound = object.number("tail_bound", 0.1, 1000.0);
  shape.min_bin_width = object.number("min_bin_width", 1e-6, 1.0);
  shape.min_bin_height = object.number("min_bin_height", 1e-6, 1.0);
  shape.min_derivative = object.number("min_derivative", 1e-6, 0.9);
  for (const auto& [key, size] : {std::pair{"min_bin_width", shape.min_bin_width},
                                  {"min_bin_height", shape.min_bin_height}}) {
    if (size * shape.bins >= 1.0) object.fail(key, "leaves no room for the bins");
  }
  shape.log_scale_bound = object.number("log_scale_bound", 1e-3, 20.0);
  shape.energy_scale = object.number("energy_scale", 1e-6, max_energy);
  shape.conditioning = parse_own_conditioning(object, card);
  check_training(object.object("training"));
  const auto n_features =
      static_cast<std::size_t>(card.conditioning.features + shape.conditioning.features);
  shape.parity =
      parse_parity(object.object("parity"),
                   {card.binning.layers.size(), checked_voxels(object, card.binning),
                    is_served(card.conditioning) || is_served(shape.conditioning), n_features},
                   card.extrapolation);
  object.finish();
  return shape;
}

}  // namespace fastcaloq::detail
