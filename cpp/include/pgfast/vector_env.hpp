// A batch of environments, as a rollout and a binding see it: blocks of 32 lanes, stepped with time
// limits and autoreset, and a copy of their state. LaneEnv (lane_env.hpp) makes one of any
// environment in envs/.
#pragma once

#include <algorithm>

#include "pgfast/parallel.hpp"

namespace pgfast {

inline constexpr Index env_lanes = 32;
static_assert(env_lanes == tile_rows, "a block of environments is one tile of a policy");

// Gymnasium's AutoresetMode: what happens where an episode ends.
enum class Autoreset {
  next_step,  // the next step ignores its action, resets and gives reward 0
  same_step,  // resets at once; the final observation is given beside the reset one
  disabled,   // waits for a reset; until then a step leaves the environment as it is
};

// Where a step of one block goes: rows of the caller's arrays, already offset to the block's first.
// Or where a step of the whole batch goes, whose rewards may be wanted in float64.
template <class S, class Reward = S>
struct StepOutput {
  S* observations;        // (lanes, D)
  Reward* rewards;        // (lanes)
  bool* terminated;       // (lanes)
  bool* truncated;        // (lanes)
  S* final_observations;  // (lanes, D), written where an episode ended under same_step; may be null
};

// All that a batch of environments is: enough to go on from, bit for bit.
template <class S>
struct EnvCopy {
  Buffer<S> state;                // (N, K)
  Buffer<std::int32_t> elapsed;   // (N) steps since the episode began
  Buffer<bool> finished;          // (N) waits for a reset
  Buffer<std::uint64_t> seed;     // (N)
  Buffer<std::uint64_t> counter;  // (N) Philox blocks drawn

  EnvCopy(Index envs, Index state_size)
      : state(envs * state_size), elapsed(envs), finished(envs), seed(envs), counter(envs) {}
};

template <class S, class Action_>
class VectorEnv {
 public:
  using Action = Action_;
  virtual ~VectorEnv() = default;

  virtual Index num_envs() const = 0;
  virtual Index observation_size() const = 0;
  virtual Index action_size() const = 0;  // numbers of one action
  virtual Index state_size() const = 0;
  virtual Index max_episode_steps() const = 0;  // 0: no limit
  virtual Index step_ns()
      const = 0;  // what a step of one environment takes at least, for `parallel_for`

  virtual void seed(Index env, std::uint64_t seed) = 0;
  virtual void reset(Index env) = 0;
  virtual bool valid(const S* state) const = 0;  // an environment can be in this state
  virtual void set_episode_start(Index env, const S* state) = 0;  // a valid one
  virtual void read_state(Index env, S* state) const = 0;
  virtual bool finished(Index env) const = 0;
  virtual std::int32_t elapsed(Index env) const = 0;  // steps since the episode began
  virtual std::int32_t max_elapsed() const = 0;       // where their count ends, limit or not
  virtual void end_episode(Index env) = 0;  // what is left of it is not wanted: wait for a reset
  virtual EnvCopy<S> get_state() const = 0;
  virtual void set_state(const EnvCopy<S>& copy) = 0;  // of valid states

  virtual void observe_block(Index block, S* observations) const = 0;
  // actions: (lanes, action_size)
  virtual void step_block(Index block, const Action* actions, Autoreset mode,
                          const StepOutput<S>& out) = 0;

  Index blocks() const { return ceil_div(num_envs(), env_lanes); }
  Index first(Index block) const { return block * env_lanes; }
  Index lanes(Index block) const { return std::min(env_lanes, num_envs() - first(block)); }

  // f(block) for every block, each of which takes about `block_ns` nanoseconds.
  //
  // A thread gets neighbours, where there are enough of them: at least four, because the flags of
  // two blocks share a line of the cache, and two threads that write to it in turn wait for each
  // other in every step (a rollout of 1024 CartPoles took no less time on two threads than on one);
  // and about a microsecond of work, so that claiming it is little. The two halves are two lists,
  // so that from step to step a thread mostly finds in its own cache the states that it has left
  // there: a step of 32,768 MountainCars takes 33 us on one thread and 18 on two, 40 where both
  // take any.
  template <class F>
  void for_each_block_of_envs(Index block_ns, F&& f) const {
    const Index count = blocks(), threads = ThreadTeam::instance().num_threads(),
                most = std::max<Index>(4, 1000 / block_ns),
                group = std::clamp<Index>(count / (4 * threads), 1, most),
                groups = ceil_div(count, group), half = ceil_div(groups, 2);
    const auto run = [&](Index i) {
      for (Index b = i * group; b < std::min(count, (i + 1) * group); ++b) f(b);
    };
    const auto run_behind = [&](Index i) { run(half + i); };
    parallel_for(Blocks{half, group * block_ns, run},
                 Blocks{groups - half, group * block_ns, run_behind});
  }

  // One step of the whole batch.
  template <class Reward = S>
  void step(const Action* actions, Autoreset mode, const StepOutput<S, Reward>& out) {
    const Index N = num_envs(), D = observation_size(), A = action_size();
    for_each_block_of_envs(env_lanes * step_ns(), [&](Index block) {
      const Index i = first(block);
      StepOutput<S> rows{out.observations + i * D, nullptr, out.terminated + i, out.truncated + i,
                         out.final_observations ? out.final_observations + i * D : nullptr};
      if constexpr (std::is_same_v<Reward, S>) {
        rows.rewards = out.rewards + i;
        step_block(block, actions + i * A, mode, rows);
      } else {
        S rewards[env_lanes];
        rows.rewards = rewards;
        step_block(block, actions + i * A, mode, rows);
        const auto widen = [&](Index count) { std::copy_n(rewards, count, out.rewards + i); };
        N - i >= env_lanes ? widen(env_lanes) : widen(N - i);
      }
    });
  }

  void observe(S* observations) const {
    for (Index b = 0; b < blocks(); ++b)
      observe_block(b, observations + first(b) * observation_size());
  }
};

}  // namespace pgfast
