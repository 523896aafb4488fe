// Work memory that the blocks of parallel loops hand to each other: as many pieces as blocks run at
// the same time, each made when it is first needed and kept for the loops that follow.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace pgfast {

template <class T>
class WorkMemory {
  struct GiveBack {
    WorkMemory* memory;
    void operator()(T* piece) const {
      const std::lock_guard lock(memory->mutex_);
      memory->unused_.push_back(piece);
    }
  };

 public:
  using Borrowed = std::unique_ptr<T, GiveBack>;

  // A piece of the caller's own while it holds it: an unused one, or a new one, make().
  template <class Make>
  Borrowed borrow(Make&& make) {
    {
      const std::lock_guard lock(mutex_);
      if (!unused_.empty()) {
        T* piece = unused_.back();
        unused_.pop_back();
        return {piece, {this}};
      }
    }
    std::unique_ptr<T> piece = make();
    const std::lock_guard lock(mutex_);
    unused_.reserve(pieces_.size() + 1);  // so that giving back can't fail
    pieces_.push_back(std::move(piece));
    return {pieces_.back().get(), {this}};
  }

  // f(piece) for all of them, between two loops.
  template <class F>
  void for_each(F&& f) {
    for (auto& piece : pieces_) f(*piece);
  }

 private:
  std::mutex mutex_;  // of pieces_ and unused_
  std::vector<std::unique_ptr<T>> pieces_;
  std::vector<T*> unused_;
};

}  // namespace pgfast
