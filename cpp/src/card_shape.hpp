/// \file
/// The part of the card that describes the voxels' flow.
#pragma once

#include "fastcaloq/model_card.hpp"
#include "json_object.hpp"

namespace fastcaloq::detail {

/// \param card its binning, extrapolation range and conditioning are read
/// Throws ModelError.
ShapeCard parse_shape(JsonObject object, const ModelCard& card);

}  // namespace fastcaloq::detail
