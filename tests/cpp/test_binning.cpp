#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "fastcaloq/binning.hpp"
#include "fastcaloq/error.hpp"

namespace fastcaloq {
namespace {

std::string write(const std::string& text) {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  const std::string path = testing::TempDir() + "fastcaloq_" + test.name() + ".xml";
  std::ofstream(path) << text;
  return path;
}

/// What a file with this text is refused for, without the path.
std::string refusal(const std::string& text, const std::string& particle = "") {
  const std::string path = write(text);
  try {
    read_binning(path, particle);
  } catch (const InputError& error) {
    const std::string what = error.what();
    EXPECT_EQ(what.rfind(path + ": ", 0), 0U) << what;
    EXPECT_EQ(what.find('\n'), std::string::npos);
    return what.substr(path.size() + 2);
  }
  return "nothing was thrown";
}

std::string bin(const std::string& layers) {
  return "<Bins><Bin pid='22' name='photon'>" + layers + "</Bin></Bins>";
}

TEST(Binning, ReadsTheOneOfTheChallengesPhotons) {
  const BinningCard binning =
      read_binning(SOURCES "/python/fastcaloq_infer/data/binnings/dataset-1-photons.xml");
  EXPECT_EQ(binning.name, "dataset-1-photons");
  EXPECT_EQ(binning.n_voxels(), 368U);
  ASSERT_EQ(binning.layers.size(), 5U);
  EXPECT_EQ(binning.layers[4].id, 12);
  EXPECT_EQ(binning.layers[4].r_edges, (std::vector<double>{0, 100, 200, 400, 1000, 2000}));
  EXPECT_EQ(binning.layers[1].n_alpha, 10);
}

TEST(Binning, ReadsTheParticleAskedFor) {
  const std::string text =
      "<?xml version=\"1.0\"?>\n<!-- <Bins> -->\n<Bins >\n"
      "<Bin pid=\"22\" name = 'photon'><Layer id=\"0\" r_edges=\"0,1\" n_bin_alpha=\"1\"/></Bin>\n"
      "<Bin pid=\"211\" name=\"pion\"><Layer id=\"1\" r_edges=\"0, 2.5 ,1e1\" n_bin_alpha=\"3\">"
      "</Layer><Layer id=\"2\" r_edges=\"0\"/></Bin></Bins>\n";
  const BinningCard pion = read_binning(write(text), "pion");
  ASSERT_EQ(pion.layers.size(), 1U);
  EXPECT_EQ(pion.layers[0].id, 1);
  EXPECT_EQ(pion.layers[0].r_edges, (std::vector<double>{0, 2.5, 10}));
  EXPECT_EQ(pion.n_voxels(), 6U);
  EXPECT_EQ(refusal(text),
            "it describes the particles 'photon', 'pion', and one is needed: name one of them");
  EXPECT_EQ(refusal(text, "muon"),
            "it describes the particles 'photon', 'pion', and 'muon' is needed: name one of them");
}

TEST(Binning, RefusesWhatIsNoBinning) {
  const auto starts = [](const std::string& text, const std::string& start) {
    EXPECT_EQ(text.substr(0, start.size()), start);
  };
  EXPECT_THROW(read_binning("/no/such/file.xml"), InputError);
  EXPECT_THROW(read_binning(testing::TempDir()), InputError);
  starts(refusal(""), "its outermost element is not <Bins>");
  starts(refusal("<Pins/>"), "its outermost element is not <Bins>");
  starts(refusal("<Bins/>"), "it describes the particles (none)");
  starts(refusal(bin("")), "it has 0 voxels");
  starts(refusal(bin("<Layer id='0' r_edges='0'/>")), "it has 0 voxels");
  starts(refusal(bin("<Layer r_edges='0,1'/>")), "a <Layer> lacks the attribute 'id'");
  starts(refusal(bin("<Layer id='0' r_edges='0,1'/>")), "a <Layer> lacks the attribute 'n_bin");
  starts(refusal(bin("<Layer id='-1' r_edges='0,1'/>")), "a <Layer> has id='-1' where an integer");
  starts(refusal(bin("<Layer id='0' r_edges='0,1' n_bin_alpha='x'/>")),
         "a <Layer> has n_bin_alpha");
  for (const char* edges : {"", ",", "0,", "0,,1", "0 1", "0,1,1", "0,-1", "-1,0", "0,nan", "0,inf",
                            "0,1;2", "0,1e300", "a"}) {
    starts(refusal(bin(std::string("<Layer id='7' r_edges='") + edges + "' n_bin_alpha='1'/>")),
           std::string("layer 7 has r_edges='") + edges + "' where ascending numbers");
  }
  starts(refusal(bin("<Layer id='1' r_edges='0,1' n_bin_alpha='1'/>"
                     "<Layer id='1' r_edges='0,1' n_bin_alpha='1'/>")),
         "layer 1 follows layer 1");
  starts(refusal(bin("<Layer id='0' r_edges='0,1,2,3,4,5,6,7,8,9,10,11,12' n_bin_alpha='9999'/>")),
         "it has 119988 voxels");
}

TEST(Binning, RefusesWhatIsNotWellFormed) {
  for (const char* text : {
           "<Bins>",
           "<Bins",
           "</Bins>",
           "<Bins></Bin>",
           "<Bins/><Bins/>",
           "< Bins/>",
           "<>",
           "<Bins a/>",
           "<Bins a=/>",
           "<Bins a=b/>",
           "<Bins a='/>",
           "<Bins a='1' a='2'/>",
           "<!-- <Bins/>",
           "<!DOCTYPE Bins [<!ENTITY a 'b'>]><Bins/>",
           "<Bins =''/>",
           "<Bins a=\"",
       }) {
    EXPECT_EQ(refusal(text).rfind("not well-formed XML (", 0), 0U) << text << ": " << refusal(text);
  }
}

}  // namespace
}  // namespace fastcaloq
