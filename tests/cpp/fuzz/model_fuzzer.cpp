// libFuzzer's entry points: files that are almost right, so that every layer of the reader is met.
#include <algorithm>
#include <cstring>

#include "fuzz_target.hpp"

extern "C" {

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fastcaloq::test::read_anything({reinterpret_cast<const char*>(data), size});
  return 0;
}

/// Changes the card within the file half the time: its lengths are those of the wire format, which a
/// change of bytes alone nearly always breaks.
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t most,
                                    unsigned seed) {
  using namespace fastcaloq::test;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string_view old = card_of(bytes);
  if (old.empty() || seed % 2 == 0) return LLVMFuzzerMutate(data, size, most);
  std::string card(old);
  if (seed % 8 == 1) {
    const std::size_t before = card.size();
    card.resize(before + 64);
    card.resize(
        LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(card.data()), before, card.size()));
  } else {
    card = with_strange_value(card, seed);
  }
  const std::string changed = with_card(bytes, card);
  if (changed.size() > most) return LLVMFuzzerMutate(data, size, most);
  std::copy(changed.begin(), changed.end(), data);
  return changed.size();
}

}  // extern "C"
