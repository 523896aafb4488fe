// Whole episodes of a policy in a batch of environments: all of what happened, or their returns.
//
// Episode k is number k div N of environment k mod N, so that how many episodes an environment
// gives is settled beforehand and short ones are not favoured. The episodes of a block of
// environments run side by side until the longest of them ends, then the block's next ones begin: a
// run of episodes. The policy draws episode k's step t from stream k at `first_index + t`.
#pragma once

#include <algorithm>

#include "pgfast/rollout.hpp"

namespace pgfast {

// One step of the episodes `first`, ..., `first + lanes - 1` of a run. Where a lane is not active,
// its episode has ended before.
template <class S, class Action>
struct EpisodeStep {
  Index t, first, lanes;
  const bool* active;                  // (lanes)
  const S* observations;               // (lanes, D), before the step
  const Action* actions;               // (lanes, A)
  const S* log_probs;                  // (lanes), where they are asked for
  const S* rewards;                    // (lanes)
  const bool *terminated, *truncated;  // (lanes)
  const S* next_observations;          // (lanes, D)
};

// visit(block, step) for each step, in order within a block. `starts` (episodes, K) are the states
// that episodes begin in; null: a reset's. Afterwards every environment waits for a reset.
//
// Gives the length of each run, run r of block b at r * blocks + b: T + 1 where an episode does not
// end within T steps; then the block goes no further.
template <class S, class Action, class EnvAction, class ToEnv, class Visit>
std::vector<Index> run_episodes(VectorEnv<S, EnvAction>& env, const Actor<S, Action>& actor,
                                const ToEnv& to_env, Index episodes, Index T, const S* starts,
                                std::uint64_t first_index, bool with_log_probs, Visit&& visit) {
  const Index N = env.num_envs(), D = env.observation_size(), A = actor.action_size();
  const Index K = env.state_size(), blocks = env.blocks();
  std::vector<Index> lengths(static_cast<std::size_t>(ceil_div(episodes, N) * blocks), 0);
  env.for_each_block_of_envs(worth_a_thread, [&](Index block) {
    const Index first_env = env.first(block);
    const auto own_actor = actor.clone();
    Buffer<S> observations(env_lanes * D), next_observations(env_lanes * D);
    Buffer<Action> actions(env_lanes * A);
    Buffer<EnvAction> env_actions(env_lanes * env.action_size());
    S log_probs[env_lanes], rewards[env_lanes];
    bool terminated[env_lanes], truncated[env_lanes], active[env_lanes];

    for (Index l = 0; l < env.lanes(block); ++l) env.end_episode(first_env + l);
    for (Index run = 0; run * N + first_env < episodes; ++run) {
      const Index first = run * N + first_env, lanes = std::min(env.lanes(block), episodes - first);
      Index& length = lengths[static_cast<std::size_t>(run * blocks + block)];
      for (Index l = 0; l < lanes; ++l) {
        if (starts) {
          env.set_episode_start(first_env + l, starts + (first + l) * K);
        } else {
          env.reset(first_env + l);
        }
        active[l] = true;
      }
      env.observe_block(block, next_observations.data());
      for (Index running = lanes; running > 0;) {
        const Index t = length++;
        if (t == T) return;
        observations.swap(next_observations);
        // Lanes without an episode in this run have no action of the policy's: the first one's.
        own_actor->act(observations.data(), lanes, static_cast<std::uint32_t>(first),
                       first_index + static_cast<std::uint64_t>(t), actions.data(),
                       with_log_probs ? log_probs : nullptr);
        for (Index l = lanes; l < env_lanes; ++l) {
          std::copy_n(actions.data(), A, actions.data() + l * A);
        }
        env.step_block(block, to_env(actions.data(), env_lanes, env_actions.data()),
                       Autoreset::disabled,
                       {next_observations.data(), rewards, terminated, truncated, nullptr});
        visit(block, EpisodeStep<S, Action>{t, first, lanes, active, observations.data(),
                                            actions.data(), log_probs, rewards, terminated,
                                            truncated, next_observations.data()});
        for (Index l = 0; l < lanes; ++l) active[l] = active[l] & !(terminated[l] | truncated[l]);
        running = count_set(active, 0, lanes);
      }
    }
  });
  return lengths;
}

// `episodes` whole episodes, one per column of arrays (T, episodes), each number of whose first
// `longest` rows is written once: what lies behind the end of an episode is zero. `longest` is the
// length of the longest, or T + 1 where one does not end within T steps; then the arrays hold no
// whole episodes.
template <class S, class Action, class EnvAction, class ToEnv>
std::vector<S> collect_episodes(VectorEnv<S, EnvAction>& env, const Actor<S, Action>& actor,
                                const ToEnv& to_env, Index episodes, Index T, const S* starts,
                                std::uint64_t first_index, const RolloutArrays<S, Action>& out,
                                Index& longest) {
  const Index N = env.num_envs(), D = env.observation_size(), A = actor.action_size();
  FinalObservations<S> finals(env.blocks(), D);
  for (Index b = 0; b < env.blocks(); ++b) finals.reserve(b, ceil_div(episodes, N) * env_lanes);
  const auto lengths = run_episodes(
      env, actor, to_env, episodes, T, starts, first_index, true,
      [&](Index block, const EpisodeStep<S, Action>& step) {
        const Index row = step.t * episodes + step.first, lanes = step.lanes;
        std::copy_n(step.observations, lanes * D, out.observations + row * D);
        std::copy_n(step.actions, lanes * A, out.actions + row * A);
        std::copy_n(step.log_probs, lanes, out.log_probs + row);
        std::copy_n(step.rewards, lanes, out.rewards + row);  // 0 in a lane that waits, the flags
        std::copy_n(step.terminated, lanes, out.terminated + row);  // are unset
        std::copy_n(step.truncated, lanes, out.truncated + row);
        std::copy_n(step.active, lanes, out.valid + row);
        for (Index l = 0; l < lanes; ++l) {
          if (step.active[l]) continue;
          std::fill_n(out.observations + (row + l) * D, D, S{0});
          std::fill_n(out.actions + (row + l) * A, A, Action{0});
          out.log_probs[row + l] = S{0};
        }
        for_each_set(step.truncated, 0, lanes, [&](Index l) {
          finals.add(block, step.t, step.first + l, step.next_observations + l * D);
        });
      });
  longest = *std::max_element(lengths.begin(), lengths.end());
  if (longest > T) return {};
  const auto runs = static_cast<Index>(lengths.size()), blocks = env.blocks();
  parallel_for(runs, longest * 40, [&](Index run) {
    const Index first = run / blocks * N + env.first(run % blocks);
    const Index lanes = std::min(env.lanes(run % blocks), episodes - first);
    for (Index t = lengths[static_cast<std::size_t>(run)]; t < longest && lanes > 0; ++t) {
      const Index row = t * episodes + first;
      std::fill_n(out.observations + row * D, lanes * D, S{0});
      std::fill_n(out.actions + row * A, lanes * A, Action{0});
      std::fill_n(out.log_probs + row, lanes, S{0});
      std::fill_n(out.rewards + row, lanes, S{0});
      std::fill_n(out.terminated + row, lanes, false);
      std::fill_n(out.truncated + row, lanes, false);
      std::fill_n(out.valid + row, lanes, false);
    }
  });
  return finals.sorted();
}

// The undiscounted returns (episodes) of whole episodes, summed in order, and their lengths;
// nothing else is kept. False where one does not end within T steps; then they mean nothing.
template <class S, class Action, class EnvAction, class ToEnv>
bool episode_returns(VectorEnv<S, EnvAction>& env, const Actor<S, Action>& actor,
                     const ToEnv& to_env, Index episodes, Index T, std::uint64_t first_index,
                     double* returns, std::int64_t* lengths) {
  std::fill_n(returns, episodes, 0.0);
  std::fill_n(lengths, episodes, 0);
  const auto longest =
      run_episodes(env, actor, to_env, episodes, T, static_cast<const S*>(nullptr), first_index,
                   false, [&](Index, const EpisodeStep<S, Action>& step) {
                     for (Index l = 0; l < step.lanes; ++l) {
                       returns[step.first + l] += static_cast<double>(step.rewards[l]);
                       lengths[step.first + l] += step.active[l];
                     }
                   });
  return std::ranges::all_of(longest, [&](Index length) { return length <= T; });
}

}  // namespace pgfast
