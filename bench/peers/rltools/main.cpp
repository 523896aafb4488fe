// RLtools' PPO on its own Pendulum: its loop, its defaults but for what is set here.
//
//   ppo_pendulum SEED
//
// The activation is a constant of the compilation, as all sizes of RLtools are. Its last line is
// JSON. Counted: the updates (collect, values, advantages, epochs). Not counted: compiling,
// allocating, initializing, and the evaluation at the end.
#include <chrono>
#include <cstdio>
#include <cstdlib>

// clang-format off: the headers build on each other, in this order
#include <rl_tools/operations/cpu_mux.h>

#include <rl_tools/nn/optimizers/adam/instance/operations_generic.h>
#include <rl_tools/nn/operations_cpu_mux.h>
#include <rl_tools/nn/layers/standardize/operations_generic.h>
#include <rl_tools/nn_models/mlp_unconditional_stddev/operations_generic.h>
#include <rl_tools/nn_models/mlp/operations_generic.h>
#include <rl_tools/nn_models/sequential/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/operations_generic.h>

#include <rl_tools/rl/environments/pendulum/operations_cpu.h>

#include <rl_tools/rl/algorithms/ppo/loop/core/config.h>
#include <rl_tools/rl/loop/steps/evaluation/config.h>

#include <rl_tools/rl/algorithms/ppo/loop/core/operations_generic.h>
#include <rl_tools/rl/loop/steps/evaluation/operations_generic.h>
// clang-format on

#ifndef ACTIVATION
#error "ACTIVATION is not defined: RELU or FAST_TANH"
#endif

namespace rlt = rl_tools;

using Device = rlt::devices::DEVICE_FACTORY<>;
static_assert(Device::DEVICE_ID == rlt::devices::DeviceId::CPU_OPENBLAS);
using Rng = Device::SPEC::RANDOM::ENGINE<>;
using Index = Device::index_t;
using Types = rlt::numeric_types::Policy<float>;
using Pendulum =
    rlt::rl::environments::Pendulum<rlt::rl::environments::pendulum::Specification<float, Index>>;

constexpr Index updates = 74;  // of 4096 steps: 303,104

struct Parameters
    : rlt::rl::algorithms::ppo::loop::core::DefaultParameters<Types, Index, Pendulum> {
  static constexpr Index STEP_LIMIT = updates;
  static constexpr Index ACTOR_HIDDEN_DIM = 64, ACTOR_NUM_LAYERS = 3;  // the output is one of them
  static constexpr Index CRITIC_HIDDEN_DIM = 64, CRITIC_NUM_LAYERS = 3;
  static constexpr auto ACTOR_ACTIVATION_FUNCTION =
      rlt::nn::activation_functions::ActivationFunction::ACTIVATION;
  static constexpr auto CRITIC_ACTIVATION_FUNCTION =
      rlt::nn::activation_functions::ActivationFunction::ACTIVATION;
  static constexpr Index EPISODE_STEP_LIMIT = 200;
  static constexpr Index N_ENVIRONMENTS = 4, ON_POLICY_RUNNER_STEPS_PER_ENV = 1024;
  static constexpr Index DATASET_SIZE = N_ENVIRONMENTS * ON_POLICY_RUNNER_STEPS_PER_ENV;
  static constexpr Index BATCH_SIZE = 256;
  struct PPO_PARAMETERS : rlt::rl::algorithms::ppo::DefaultParameters<Types, Index, BATCH_SIZE> {
    static constexpr float GAMMA = 0.9, LAMBDA = 0.95, EPSILON_CLIP = 0.2;
    static constexpr float ACTION_ENTROPY_COEFFICIENT = 0;
    static constexpr Index N_EPOCHS = 2;
  };
};

using Core = rlt::rl::algorithms::ppo::loop::core::Config<Types, Index, Rng, Pendulum, Parameters>;
struct Evaluation : rlt::rl::loop::steps::evaluation::Parameters<Types, Index, Core> {
  static constexpr Index EVALUATION_INTERVAL = updates;  // one before the first, one after the last
  static constexpr Index NUM_EVALUATION_EPISODES = 100;
  static constexpr Index N_EVALUATIONS = 2;
};
using Config = rlt::rl::loop::steps::evaluation::Config<Core, Evaluation>;
using State = Config::State<Config>;

int main(int count, char** arguments) {
  const auto seed = static_cast<Index>(count > 1 ? std::atoi(arguments[1]) : 0);
  Device device;
  State state;
  rlt::init(device);
  rlt::malloc(device, state);
  rlt::init(device, state, seed);

  auto& core = static_cast<State::NEXT&>(state);
  const auto begin = std::chrono::steady_clock::now();
  for (Index i = 0; i < updates; ++i) rlt::step(device, core);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;

  rlt::step(device, state);  // evaluates first
  const auto& result = rlt::get(state.evaluation_results, 0, 1);
  std::printf("\n{\"seconds\": %.6f, \"steps\": %d, \"return\": %.3f}\n", seconds.count(),
              static_cast<int>(updates * Parameters::DATASET_SIZE),
              static_cast<double>(result.returns_mean));
}
