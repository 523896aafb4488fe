// Rollouts: blocks of environments x time x policy, without leaving C++.
//
// A block of 32 environments runs through all its steps on one thread, its state in the first-level
// cache; blocks are independent of each other. Observations are written once, where the learner
// reads them: step t writes row t + 1, from which the policy then acts. Arrays are time-major.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "pgfast/actor.hpp"
#include "pgfast/vector_env.hpp"

namespace pgfast {

// The arrays of a rollout; A is the number of numbers in one of the policy's actions.
template <class S, class Action>
struct RolloutArrays {
  S* observations;                  // (T, N, D)
  Action* actions;                  // (T, N, A)
  S* log_probs;                     // (T, N)
  S* rewards;                       // (T, N)
  bool* terminated;                 // (T, N)
  bool* truncated;                  // (T, N)
  bool* valid;                      // (T, N): the step happened; null where every step does
  S* last_observations;             // (N, D): after the last step; null for whole episodes
  std::int64_t* elapsed = nullptr;  // (N): steps of the episode before the first row; may be null
};

// The final observations of truncated steps. Each block notes its own, in time order; `sorted` puts
// them in the order of argwhere(truncated): by time, then by environment.
template <class S>
class FinalObservations {
 public:
  FinalObservations(Index blocks, Index observation_size)
      : D_(observation_size), notes_(static_cast<std::size_t>(blocks)) {}

  void reserve(Index block, Index count) {
    notes(block).keys.reserve(static_cast<std::size_t>(count));
    notes(block).rows.reserve(static_cast<std::size_t>(count * D_));
  }

  void add(Index block, Index t, Index n, const S* observation) {
    notes(block).keys.push_back({t, n});
    notes(block).rows.insert(notes(block).rows.end(), observation, observation + D_);
  }

  std::vector<S> sorted() const {
    struct Entry {
      Key key;
      const S* row;
    };
    std::vector<Entry> entries;
    for (const Notes& block : notes_) {
      for (std::size_t k = 0; k < block.keys.size(); ++k) {
        entries.push_back({block.keys[k], block.rows.data() + static_cast<Index>(k) * D_});
      }
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a.key.t != b.key.t ? a.key.t < b.key.t : a.key.n < b.key.n;
    });
    std::vector<S> rows;
    rows.reserve(entries.size() * static_cast<std::size_t>(D_));
    for (const Entry& entry : entries) rows.insert(rows.end(), entry.row, entry.row + D_);
    return rows;
  }

 private:
  struct Key {
    Index t, n;
  };
  struct Notes {
    std::vector<Key> keys;
    std::vector<S> rows;
  };
  Notes& notes(Index block) { return notes_[static_cast<std::size_t>(block)]; }

  Index D_;
  std::vector<Notes> notes_;
};

// What an environment is given for the policy's actions (rows, A): a view of its own or `buffer`.
// The rollout keeps the policy's, because those are what its probabilities belong to.
struct Unchanged {
  template <class Action>
  const Action* operator()(const Action* actions, Index, Action*) const {
    return actions;
  }
};

// Continuous actions, clipped to the environment's box.
template <class S>
struct Clipped {
  const S *low, *high;  // (A)
  Index A;

  const S* operator()(const S* actions, Index rows, S* buffer) const {
    for (Index i = 0; i < rows * A; ++i) {
      const S x = actions[i];  // NaN stays
      buffer[i] = x < low[i % A] ? low[i % A] : x > high[i % A] ? high[i % A] : x;
    }
    return buffer;
  }
};

// Bins of a box: bin k of n is (1 - k / (n - 1)) low + k / (n - 1) high, both bounds included. The
// numbers are made once, in double.
template <class S>
class Binned {
 public:
  // low, high (A); bins (A), each at least 2
  Binned(const S* low, const S* high, const Index* bins, Index A) : A_(A), first_{} {
    for (Index a = 0; a < A; ++a) {
      first_.push_back(static_cast<Index>(values_.size()));
      for (Index k = 0; k < bins[a]; ++k) {
        const double share = static_cast<double>(k) / static_cast<double>(bins[a] - 1);
        // Two roundings, as NumPy has them: contracted to one multiply-add, the last bit of an
        // action could differ from that of an environment that is stepped through Python.
        volatile double from_low = (1 - share) * static_cast<double>(low[a]);
        volatile double from_high = share * static_cast<double>(high[a]);
        values_.push_back(static_cast<S>(from_low + from_high));
      }
    }
  }

  const S* operator()(const DiscreteAction* actions, Index rows, S* buffer) const {
    for (Index i = 0; i < rows * A_; ++i) {
      const Index at = first_[static_cast<std::size_t>(i % A_)] + actions[i];
      buffer[i] = values_[static_cast<std::size_t>(at)];
    }
    return buffer;
  }

 private:
  Index A_;
  std::vector<Index> first_;  // of each dimension: where its values begin
  std::vector<S> values_;
};

// T steps of every environment, with autoreset on the same step. Environments that wait for a reset
// get it first. At step t the policy draws at index `first_index + t`, environment i from stream i.
template <class S, class Action, class EnvAction, class ToEnv>
std::vector<S> collect_steps(VectorEnv<S, EnvAction>& env, const Actor<S, Action>& actor,
                             const ToEnv& to_env, Index T, std::uint64_t first_index,
                             const RolloutArrays<S, Action>& out) {
  const Index N = env.num_envs(), D = env.observation_size(), A = actor.action_size();
  FinalObservations<S> finals(env.blocks(), D);
  const Index limit = env.max_episode_steps();
  env.for_each_block_of_envs(T * env_lanes * 9, [&](Index block) {
    const Index first = env.first(block), lanes = env.lanes(block);
    if (limit > 0) finals.reserve(block, lanes * (T / limit + 1));
    const auto own_actor = actor.clone();
    Buffer<S> final_observations(env_lanes * D);
    Buffer<EnvAction> env_actions(env_lanes * env.action_size());

    for (Index l = 0; l < lanes; ++l) {
      if (env.finished(first + l)) env.reset(first + l);
      if (out.elapsed) out.elapsed[first + l] = env.elapsed(first + l);
    }
    env.observe_block(block, out.observations + first * D);
    for (Index t = 0; t < T; ++t) {
      const Index row = t * N + first;
      own_actor->act(out.observations + row * D, lanes, static_cast<std::uint32_t>(first),
                     first_index + static_cast<std::uint64_t>(t), out.actions + row * A,
                     out.log_probs + row);
      S* next = t + 1 < T ? out.observations + (row + N) * D : out.last_observations + first * D;
      env.step_block(block, to_env(out.actions + row * A, lanes, env_actions.data()),
                     Autoreset::same_step,
                     {next, out.rewards + row, out.terminated + row, out.truncated + row,
                      final_observations.data()});
      for_each_set(out.truncated + row, 0, lanes, [&](Index l) {
        finals.add(block, t, first + l, final_observations.data() + l * D);
      });
    }
  });
  return finals.sorted();
}

}  // namespace pgfast
