// A policy as a rollout sees it: something that chooses actions for a tile of environments.
#pragma once

#include <memory>

#include "pgfast/arrays.hpp"

namespace pgfast {

template <class S, class Action>
class Actor {
 public:
  virtual ~Actor() = default;

  // How many numbers one action has.
  virtual Index action_size() const = 0;

  // actions (rows, A) for observations (rows, D), rows <= tile_rows. Row l draws from stream
  // `first_stream + l` at `index`: the same numbers wherever the row stands. `log_probs` may be
  // null.
  virtual void act(const S* observations, Index rows, std::uint32_t first_stream,
                   std::uint64_t index, Action* actions, S* log_probs) = 0;

  // A copy with work memory of its own, for another block.
  virtual std::unique_ptr<Actor> clone() const = 0;
};

}  // namespace pgfast
