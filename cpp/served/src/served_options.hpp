/// \file
/// What a ServedConditioner is told, checked before anything is sent.
#pragma once

#include <memory>

#include "fastcaloq/served_conditioner.hpp"

namespace fastcaloq::detail {

/// The options with the card's name and version filled in. Throws InputError, see ServedConditioner.
ServedOptions checked(ServedOptions options, const Model* model);

/// The model's own conditioner where the options allow it to stand in, else null. Throws InputError for
/// a model without one.
std::shared_ptr<const Conditioner> find_fallback(const std::shared_ptr<const Model>& model,
                                                 const ServedOptions& options);

}  // namespace fastcaloq::detail
