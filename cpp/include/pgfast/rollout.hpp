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
  S* observations;       // (T, N, D)
  Action* actions;       // (T, N, A)
  S* log_probs;          // (T, N)
  S* rewards;            // (T, N)
  bool* terminated;      // (T, N)
  bool* truncated;       // (T, N)
  bool* valid;           // (T, N): the step happened; null where every step does
  S* last_observations;  // (N, D): after the last step; null for whole episodes
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

// Bins of a box: bin k of n is low + (high - low) k / (n - 1).
template <class S>
struct Binned {
  const S *low, *high;  // (A)
  const Index* bins;    // (A), each at least 2
  Index A;

  const S* operator()(const DiscreteAction* actions, Index rows, S* buffer) const {
    for (Index i = 0; i < rows * A; ++i) {
      const Index a = i % A;
      const S fraction = static_cast<S>(actions[i]) / static_cast<S>(bins[a] - 1);
      buffer[i] = low[a] + (high[a] - low[a]) * fraction;
    }
    return buffer;
  }
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
  parallel_for(env.blocks(), ceil_div(16, T), [&](Index block) {
    const Index first = env.first(block), lanes = env.lanes(block);
    if (limit > 0) finals.reserve(block, lanes * (T / limit + 1));
    const auto own_actor = actor.clone();
    Buffer<S> final_observations(env_lanes * D);
    Buffer<EnvAction> env_actions(env_lanes * env.action_size());

    for (Index l = 0; l < lanes; ++l) {
      if (env.finished(first + l)) env.reset(first + l);
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

// `episodes` whole episodes, one per column: column k is episode k div N of environment k mod N, so
// that how many episodes an environment gives is settled beforehand and short ones are not
// favoured. The arrays are (T, episodes), and zero on entry: what lies behind the end of an episode
// stays zero. `starts` (episodes, K) are the states that episodes begin in; null: a reset's.
// `longest` is the length of the longest, or T + 1 where one does not end within T
// steps; then the arrays hold no whole episodes. Every environment ends waiting for a reset. The
// policy draws column k's step t from stream k at `first_index + t`.
template <class S, class Action, class EnvAction, class ToEnv>
std::vector<S> collect_episodes(VectorEnv<S, EnvAction>& env, const Actor<S, Action>& actor,
                                const ToEnv& to_env, Index episodes, Index T, const S* starts,
                                std::uint64_t first_index, const RolloutArrays<S, Action>& out,
                                Index& longest) {
  const Index N = env.num_envs(), D = env.observation_size(), A = actor.action_size();
  const Index K = env.state_size();
  FinalObservations<S> finals(env.blocks(), D);
  std::vector<Index> block_longest(static_cast<std::size_t>(env.blocks()), 0);
  parallel_for(env.blocks(), 1, [&](Index block) {
    const Index first = env.first(block);
    const auto own_actor = actor.clone();
    Buffer<S> observations(env_lanes * D);
    Buffer<Action> actions(env_lanes * A);
    Buffer<EnvAction> env_actions(env_lanes * env.action_size());
    S log_probs[env_lanes], rewards[env_lanes];
    bool terminated[env_lanes], truncated[env_lanes];

    Index& own_longest = block_longest[static_cast<std::size_t>(block)];

    for (Index l = 0; l < env.lanes(block); ++l) env.end_episode(first + l);
    finals.reserve(block, ceil_div(episodes, N) * env_lanes);
    for (Index column = first; column < episodes; column += N) {
      const Index lanes = std::min(env.lanes(block), episodes - column);
      for (Index l = 0; l < lanes; ++l) {
        if (starts) {
          env.set_episode_start(first + l, starts + (column + l) * K);
        } else {
          env.reset(first + l);
        }
      }
      env.observe_block(block, observations.data());
      Index running = lanes;
      for (Index t = 0; running > 0; ++t) {
        own_longest = std::max(own_longest, t + 1);
        if (t == T) return;
        bool active[env_lanes];
        for (Index l = 0; l < lanes; ++l) active[l] = !env.finished(first + l);
        // Lanes without an episode in this round have no action of the policy's: the first one's.
        own_actor->act(observations.data(), lanes, static_cast<std::uint32_t>(column),
                       first_index + static_cast<std::uint64_t>(t), actions.data(), log_probs);
        for (Index l = lanes; l < env_lanes; ++l) {
          std::copy_n(actions.data(), A, actions.data() + l * A);
        }
        for (Index l = 0; l < lanes; ++l) {
          if (!active[l]) continue;
          const Index i = t * episodes + column + l;
          std::copy_n(observations.data() + l * D, D, out.observations + i * D);
          std::copy_n(actions.data() + l * A, A, out.actions + i * A);
          out.log_probs[i] = log_probs[l];
          out.valid[i] = true;
        }
        env.step_block(block, to_env(actions.data(), env_lanes, env_actions.data()),
                       Autoreset::disabled,
                       {observations.data(), rewards, terminated, truncated, nullptr});
        for (Index l = 0; l < lanes; ++l) {
          if (!active[l]) continue;
          const Index i = t * episodes + column + l;
          out.rewards[i] = rewards[l];
          out.terminated[i] = terminated[l];
          out.truncated[i] = truncated[l];
          if (truncated[l]) finals.add(block, t, column + l, observations.data() + l * D);
          running -= terminated[l] | truncated[l];
        }
      }
    }
  });
  longest = *std::max_element(block_longest.begin(), block_longest.end());
  return finals.sorted();
}

}  // namespace pgfast
