// event_loop MODEL.onnx N_EVENTS N_THREADS: an event loop of several threads that share one model.
// Every event has a few particles, which are simulated together and put into cells. The sums that are
// printed do not depend on the number of threads.
#include <atomic>
#include <cstdlib>
#include <fastcaloq/cell_map.hpp>
#include <fastcaloq/collector.hpp>
#include <fastcaloq/error.hpp>
#include <fastcaloq/parametrization_chain.hpp>
#include <iostream>
#include <thread>
#include <vector>

namespace {

struct Event {
  double energy = 0.0;  // MeV, of all showers
  std::size_t hits = 0;
  double outside = 0.0;  // MeV of hits without a cell
  std::size_t failed = 0;
};

// What a simulation gets from its generator and its transport: particles, and where they go.
fastcaloq::TruthState make_particle(int pdgid, std::uint64_t event, std::uint32_t number) {
  fastcaloq::TruthState truth;
  truth.pdgid = pdgid;
  truth.Ekin = 1000.0 * static_cast<double>(1 + (event + number) % 50);  // MeV
  truth.eta = number % 2 == 0 ? 0.21 : -0.21;
  truth.phi = 0.4 * number;
  return truth;
}

const std::vector<fastcaloq::LayerSurface> barrel = {
    {0, fastcaloq::Surface::cylinder, 1440.0, 1460.0},  // mm
    {1, fastcaloq::Surface::cylinder, 1500.0, 1600.0},
    {2, fastcaloq::Surface::cylinder, 1600.0, 1930.0},
    {3, fastcaloq::Surface::cylinder, 1930.0, 1980.0},
    {12, fastcaloq::Surface::cylinder, 2280.0, 2600.0},
    {13, fastcaloq::Surface::cylinder, 2600.0, 3440.0},
    {14, fastcaloq::Surface::cylinder, 3440.0, 3820.0},
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw fastcaloq::InputError("usage: event_loop MODEL.onnx N_EVENTS N_THREADS");
  // Shared by all threads, and only read.
  const auto model = fastcaloq::Model::load(argv[1]);
  fastcaloq::ParametrizationChain chain;
  chain.push_back(std::make_shared<fastcaloq::ModelParametrization>(fastcaloq::Sampler(model)));
  std::vector<fastcaloq::GridLayer> grid;
  for (const auto& layer : barrel) grid.push_back({layer.layer, {-1.5, 1.5}, 120, 64});
  const fastcaloq::GridCellMap cell_map(grid);
  std::vector<Event> events(static_cast<std::size_t>(std::atoi(argv[2])));

  std::atomic<std::uint64_t> next{0};
  const auto loop = [&] {
    // One of each for every thread.
    Event* current = nullptr;
    fastcaloq::CellEnergies cells;
    fastcaloq::ExtrapolationState extrapolation;
    fastcaloq::Collector collector(
        chain, 100,
        [&](const fastcaloq::SimulationState& state, const fastcaloq::TruthState&,
            fastcaloq::ReturnCode result) {
          if (result != fastcaloq::ReturnCode::Success) {
            ++current->failed;  // state.reason() says why
            return;
          }
          current->energy += state.E();
          current->hits += state.hits().size();
          current->outside += fastcaloq::deposit(state.hits(), cell_map, cells);
        },
        fastcaloq::OutOfRange::clip);
    for (std::uint64_t event = next++; event < events.size(); event = next++) {
      current = &events[event];
      cells.clear();
      for (std::uint32_t number = 0; number < 4; ++number) {
        const auto truth = make_particle(model->card().pdg_id, event, number);
        fastcaloq::extrapolate_straight(truth, barrel, extrapolation);
        collector.add(truth, extrapolation, {/*seed=*/1, event, number});
      }
      collector.flush();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < std::atoi(argv[3]); ++i) threads.emplace_back(loop);
  for (std::thread& thread : threads) thread.join();

  Event sum;
  for (const Event& event : events) {
    sum.energy += event.energy;
    sum.hits += event.hits;
    sum.outside += event.outside;
    sum.failed += event.failed;
  }
  std::cout.precision(17);
  std::cout << sum.energy << " MeV in " << sum.hits << " hits, " << sum.outside
            << " MeV outside the cells, " << sum.failed << " particles without a shower\n";
} catch (const fastcaloq::Error& error) {
  std::cerr << "error: " << error.what() << '\n';
  return 1;
}
