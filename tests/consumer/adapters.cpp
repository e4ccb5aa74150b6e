// The adapters as they are installed: each refuses to stand without a parametrisation.
#include <fastcaloq/error.hpp>
#include <fastcaloq/fastcalosim/TFCSFastCaloQ.hpp>
#include <fastcaloq/geant4/FastSimModel.hpp>
#include <iostream>

template <typename Make>
int refused(const Make& make) {
  try {
    make();
  } catch (const fastcaloq::InputError& error) {
    std::cout << error.what() << '\n';
    return 1;
  }
  return 0;
}

int main() {
  G4Region region;
  const int n =
      refused([&] { fastcaloq::geant4::FastSimModel("FastCaloQ", &region, nullptr, {}); }) +
      refused([] { fastcaloq::fastcalosim::TFCSFastCaloQ("FastCaloQ", nullptr, {22}); });
  return n == 2 ? 0 : 1;
}
