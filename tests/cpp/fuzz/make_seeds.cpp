// Writes small model files of every kind into a folder, for the fuzzer to start from.
#include <fstream>
#include <iostream>

#include "model_file.hpp"

namespace {

using fastcaloq::test::Conditioning;
using fastcaloq::test::ModelFile;

void write(const std::string& folder, const std::string& name, const std::string& bytes) {
  std::ofstream file(folder + "/" + name, std::ios::binary);
  file << bytes;
  if (!file.flush()) throw std::runtime_error("cannot write into " + folder);
}

void write_all(const std::string& folder) {
  const std::pair<const char*, Conditioning> kinds[] = {
      {"none", Conditioning::none},
      {"table", Conditioning::table},
      {"quantum", Conditioning::quantum},
      {"reuploading", Conditioning::quantum_reuploading},
      {"classical", Conditioning::classical}};
  for (const auto& [name, kind] : kinds) {
    const ModelFile energies = fastcaloq::test::make_model(kind);
    write(folder, std::string(name) + ".onnx", energies.build());
    write(folder, std::string(name) + ".json", energies.card.dump());
    write(folder, std::string(name) + "_showers.onnx",
          fastcaloq::test::make_shower_model(kind, kind).build());
  }
  ModelFile served = fastcaloq::test::make_shower_model();
  served.serve();
  write(folder, "served.onnx", served.build());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_seeds FOLDER\n";
    return 2;
  }
  try {
    write_all(argv[1]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
