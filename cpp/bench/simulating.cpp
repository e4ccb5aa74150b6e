#include "fastcaloq/error.hpp"
#include "fastcaloq/parametrization_chain.hpp"
#include "machine.hpp"
#include "sections.hpp"
#include "timing.hpp"

namespace fastcaloq::bench {
namespace {

/// Particles one after the other through `simulate`, and the same showers from the bare sampler.
class Simulation {
 public:
  explicit Simulation(const Subject& subject)
      : sampler_(subject.model, subject.options(1)),
        layer_energy_(subject.model->n_layers()),
        voxel_energy_(subject.model->n_voxels()) {
    const ModelCard& card = subject.model->card();
    const Interval energy = card.validity.incident_energy;
    truth_.pdgid = card.pdg_id;
    truth_.Ekin = std::min(energy.high, std::max(energy.low, 65536.0));
    truth_.eta = 0.5 * (card.validity.eta.low + card.validity.eta.high);
    extrapolation_.set_calo_boundary(Position::from_eta(1500.0, 0.0, truth_.eta));
  }

  void sample(bool voxels) {
    const std::uint64_t event = next_event();
    const std::uint32_t particle = 0;
    const auto energy = static_cast<float>(truth_.Ekin), eta = static_cast<float>(truth_.eta);
    sampler_.sample({1, &energy, &eta}, {1, &event, &particle}, OutOfRange::refuse,
                    layer_energy_.data(), voxels ? voxel_energy_.data() : nullptr);
  }

  void simulate(const ParametrizationBase& parametrization) {
    state_.set_key({1, next_event(), 0});
    if (parametrization.simulate(state_, truth_, extrapolation_) != ReturnCode::Success) {
      throw Error(state_.reason());
    }
  }

  double Ekin() const { return truth_.Ekin; }
  std::size_t n_hits() const { return state_.hits().size(); }

 private:
  std::uint64_t next_event() { return calls_++ / 2 % 64; }  // the same for both of a pair

  Sampler sampler_;
  std::vector<float> layer_energy_, voxel_energy_;
  TruthState truth_;
  ExtrapolationState extrapolation_;
  SimulationState state_;
  std::uint64_t calls_ = 0;
};

std::shared_ptr<ModelParametrization> parametrization(const Subject& subject, bool voxels,
                                                      bool make_hits) {
  ModelParametrizationOptions options;
  options.voxels = voxels;
  options.make_hits = make_hits;
  return std::make_shared<ModelParametrization>(Sampler(subject.model, subject.options(1)),
                                                options);
}

Json measure(const Subject& subject, bool voxels, double seconds) {
  Simulation simulation(subject);
  const auto bare = parametrization(subject, voxels, false);
  const auto whole = parametrization(subject, voxels, true);
  ParametrizationChain chain;
  chain.push_back(whole);
  const std::size_t calls = voxels ? 1 : 20;
  // In pairs: after thousands of hits the next task finds the weights further away.
  std::vector<Task> alone{{"sampler", [&] { simulation.sample(voxels); }, calls},
                          {"simulate", [&] { simulation.simulate(*bare); }, calls}};
  take_turns(alone, 0.6 * seconds);
  std::vector<Task> with_hits{{"simulate_with_hits", [&] { simulation.simulate(*whole); }, calls},
                              {"chain_with_hits", [&] { simulation.simulate(chain); }, calls}};
  take_turns(with_hits, 0.4 * seconds);
  Json report{{"Ekin_MeV", simulation.Ekin()}, {"hits", simulation.n_hits()}};
  for (const std::vector<Task>* tasks : {&alone, &with_hits}) {
    for (const Task& task : *tasks) {
      report[task.name + "_us"] = rounded(1e6 * median(task.processor));
    }
  }
  std::vector<double> added(alone[1].processor);
  for (std::size_t i = 0; i < added.size(); ++i) added[i] -= alone[0].processor[i];
  report["overhead_us"] = rounded(1e6 * median(added));
  return report;
}

/// operator new calls of the second of two equal calls.
std::size_t allocations_of(const std::function<void()>& call) {
  call();
  call();
  const std::size_t before = allocations();
  call();
  return allocations() - before;
}

}  // namespace

Json measure_simulate(Subject& subject, double seconds) {
  Json report;
  if (subject.model->n_voxels() > 0) report["whole_shower"] = measure(subject, true, 0.6 * seconds);
  report["layer_energies"] = measure(subject, false, 0.4 * seconds);
  return report;
}

Json count_allocations(Subject& subject) {
  const bool voxels = subject.model->n_voxels() > 0;
  const Sampler one(subject.model, subject.options(1)), two(subject.model, subject.options(2));
  Simulation simulation(subject);
  const auto whole = parametrization(subject, voxels, true);
  const std::size_t many = subject.most();
  return {{"one_shower", allocations_of([&] { subject.draw(one, 1, voxels); })},
          {"batch", many},
          {"batch_one_thread", allocations_of([&] { subject.draw(one, many, voxels); })},
          {"batch_two_threads", allocations_of([&] { subject.draw(two, many, voxels); })},
          {"simulate_with_hits", allocations_of([&] { simulation.simulate(*whole); })}};
}

}  // namespace fastcaloq::bench
