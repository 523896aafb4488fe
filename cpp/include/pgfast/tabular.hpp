// A finite Markov decision process, solved exactly: S states, A actions, P (S, A, S), r (S, A) the
// mean reward of a pair, p0 (S). In double, by direct solves.
//
// An end is a state that every action leaves where it is, with reward 0: there the episode is over.
// Ends have value 0 and no step is taken in them. On the other ("live") states, with P_pi and r_pi
// the means of P and r under a policy pi (S, A),
//
//   values      (I - gamma P_pi) V = r_pi
//   visits      (I - gamma P_pi)' d = p0        d(s) = sum_t gamma^t Pr(s_t = s)
//   objective   J = p0'V = d'r_pi
//
// share one LU factorization, and Q = r + gamma P V. With gamma < 1 the matrix is diagonally
// dominant. With gamma = 1 it is regular just where an end can be reached from every live state,
// which is asked of the graph of P_pi, not of the size of a pivot.
//
// For the softmax with a logit theta(s, a) for each pair, grad log pi(a|s) = e_sa - pi(.|s) and
//
//   gradient           dJ/dtheta(s, a) = d(s) pi(a|s) (Q(s, a) - V(s))
//   natural gradient   F+ grad J, F = sum_s d(s) sum_a pi(a|s) score score'
//
// F has a block d(s) (diag(pi) - pi pi') for each state, and d(s) (diag(pi) - pi pi') x = d(s) pi A
// wherever x = A + c on the actions that pi takes: the solution of least norm is the advantage less
// its plain mean over those actions, and 0 elsewhere.
#pragma once

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <limits>
#include <vector>

#include "pgfast/arrays.hpp"

namespace pgfast {

using Vector = Eigen::VectorXd;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// What a policy is worth. `stuck` is a state from which no end is reached with gamma = 1, else -1;
// then nothing else is set.
struct Evaluation {
  Index stuck = -1;
  Vector values;      // (S)
  Matrix q;           // (S, A)
  Vector visitation;  // (S)
  double objective = 0;
};

class TabularMDP {
 public:
  TabularMDP(const double* P, const double* r, const double* p0, Index states, Index actions,
             double gamma)
      : P_(Eigen::Map<const Matrix>(P, states * actions, states)),
        r_(Eigen::Map<const Matrix>(r, states, actions)),
        p0_(Eigen::Map<const Vector>(p0, states)),
        gamma_(gamma) {
    for (Index s = 0; s < states; ++s) {
      bool end = true;
      for (Index a = 0; a < actions; ++a) end &= r_(s, a) == 0 && outcome(s, a)[s] == 1;
      ends_.push_back(end);
      if (!end) live_.push_back(s);
    }
  }

  Index states() const { return r_.rows(); }
  Index actions() const { return r_.cols(); }
  double gamma() const { return gamma_; }
  bool is_end(Index s) const { return ends_[static_cast<std::size_t>(s)]; }

  Evaluation evaluate(const Matrix& policy) const {
    Evaluation out;
    const auto n = static_cast<Index>(live_.size());
    const Matrix P_pi = mean_transitions(policy);
    if (gamma_ == 1) out.stuck = never_ends(P_pi);
    if (out.stuck >= 0) return out;
    out.values = out.visitation = Vector::Zero(states());
    if (n > 0) {
      const Vector r_pi = r_.cwiseProduct(policy).rowwise().sum();
      const Matrix system = Matrix::Identity(n, n) - gamma_ * P_pi(live_, live_);
      const Eigen::PartialPivLU<Matrix> lu(system);
      out.values(live_) = lu.solve(r_pi(live_)).eval();
      out.visitation(live_) = lu.transpose().solve(p0_(live_)).eval();
      const auto reached = reachable(P_pi);  // elsewhere d is 0, not the rounding of it
      for (Index s = 0; s < states(); ++s) {
        if (!reached[static_cast<std::size_t>(s)]) out.visitation(s) = 0;
      }
    }
    out.q = q_of(out.values);
    out.objective = p0_.dot(out.values);
    return out;
  }

  // The best policy, one action per state, by policy iteration (Howard 1960). Actions change only
  // where that is better by more than rounding, and the search is over when the values' sum no
  // longer grows. It begins, so that gamma = 1 is well defined, with actions that lead nearer to an
  // end; `stuck` is a state from which none does, or one that the best policy would never leave.
  Evaluation optimal(std::vector<Index>& policy) const {
    Evaluation best;
    if (gamma_ == 1) best.stuck = never_ends(mean_transitions(uniform()));
    if (best.stuck >= 0) return best;
    policy = nearer_to_an_end();
    best = evaluate(one_hot(policy));
    for (;;) {
      const double tolerance = 1e-12 * best.q.cwiseAbs().maxCoeff();
      std::vector<Index> better = policy;
      for (Index s = 0; s < states(); ++s) {
        Index& a = better[static_cast<std::size_t>(s)];
        Index largest;
        if (best.q.row(s).maxCoeff(&largest) > best.q(s, a) + tolerance) a = largest;
      }
      if (better == policy) return best;
      const Evaluation next = evaluate(one_hot(better));
      if (next.stuck >= 0) return next;
      if (next.values.sum() <= best.values.sum()) return best;
      policy = better;
      best = next;
    }
  }

  // Of the softmax with a logit for each pair, at the policy that was evaluated.
  Matrix gradient(const Matrix& policy, const Evaluation& of) const {
    return of.visitation.asDiagonal() * policy.cwiseProduct(advantage(of));
  }

  // Its natural gradient, and the rank of its Fisher matrix.
  Matrix natural_gradient(const Matrix& policy, const Evaluation& of, Index& rank) const {
    Matrix x = Matrix::Zero(states(), actions());
    rank = 0;
    const Matrix A = advantage(of);
    for (Index s = 0; s < states(); ++s) {
      if (!(of.visitation(s) > 0)) continue;
      const auto taken = (policy.row(s).array() > 0).eval();
      const auto count = taken.count();
      const double mean = taken.select(A.row(s).array(), 0).sum() / static_cast<double>(count);
      x.row(s) = taken.select(A.row(s).array() - mean, 0);
      rank += count - 1;
    }
    return x;
  }

 private:
  const double* outcome(Index s, Index a) const { return P_.row(s * actions() + a).data(); }

  Matrix advantage(const Evaluation& of) const { return of.q.colwise() - of.values; }

  Matrix q_of(const Vector& values) const {
    const Vector next = P_ * values;
    return r_ + gamma_ * Eigen::Map<const Matrix>(next.data(), states(), actions());
  }

  Matrix mean_transitions(const Matrix& policy) const {
    Matrix mean = Matrix::Zero(states(), states());
    for (Index s = 0; s < states(); ++s) {
      for (Index a = 0; a < actions(); ++a) {
        // An action that is not taken adds nothing to the graph.
        if (policy(s, a) > 0) mean.row(s) += policy(s, a) * P_.row(s * actions() + a);
      }
    }
    return mean;
  }

  // The states that have a discounted number of visits at all.
  std::vector<bool> reachable(const Matrix& transitions) const {
    std::vector<bool> reached(ends_.size());
    std::vector<Index> queue;
    const auto visit = [&](Index s, double probability) {
      if (!(probability > 0) || reached[static_cast<std::size_t>(s)]) return;
      reached[static_cast<std::size_t>(s)] = true;
      queue.push_back(s);
    };
    for (Index s = 0; s < states(); ++s) visit(s, p0_(s));
    for (std::size_t i = 0; i < queue.size(); ++i) {
      for (Index s = 0; s < states(); ++s) visit(s, gamma_ * transitions(queue[i], s));
    }
    return reached;
  }

  // How many steps each state is from an end at least; -1 where none can be reached.
  std::vector<Index> distances(const Matrix& transitions) const {
    std::vector<Index> distance(ends_.size(), -1), queue;
    for (Index s = 0; s < states(); ++s) {
      if (!is_end(s)) continue;
      distance[static_cast<std::size_t>(s)] = 0;
      queue.push_back(s);
    }
    for (std::size_t i = 0; i < queue.size(); ++i) {
      for (const Index s : live_) {
        Index& steps = distance[static_cast<std::size_t>(s)];
        if (steps >= 0 || !(transitions(s, queue[i]) > 0)) continue;
        steps = distance[static_cast<std::size_t>(queue[i])] + 1;
        queue.push_back(s);
      }
    }
    return distance;
  }

  Index never_ends(const Matrix& transitions) const {
    const auto distance = distances(transitions);
    const auto stuck = std::find(distance.begin(), distance.end(), -1);
    return stuck == distance.end() ? -1 : stuck - distance.begin();
  }

  // Actions of which each may lead one step nearer to an end; 0 where no end can be reached.
  std::vector<Index> nearer_to_an_end() const {
    const auto distance = distances(mean_transitions(uniform()));
    std::vector<Index> chosen(ends_.size(), 0);
    for (const Index s : live_) {
      const Index here = distance[static_cast<std::size_t>(s)];
      for (Index a = actions() - 1; a >= 0; --a) {
        for (Index next = 0; next < states(); ++next) {
          const bool nearer = here > 0 && distance[static_cast<std::size_t>(next)] == here - 1;
          if (nearer && outcome(s, a)[next] > 0) chosen[static_cast<std::size_t>(s)] = a;
        }
      }
    }
    return chosen;
  }

  Matrix uniform() const {
    return Matrix::Constant(states(), actions(), 1 / static_cast<double>(actions()));
  }

  Matrix one_hot(const std::vector<Index>& chosen) const {
    Matrix policy = Matrix::Zero(states(), actions());
    for (Index s = 0; s < states(); ++s) policy(s, chosen[static_cast<std::size_t>(s)]) = 1;
    return policy;
  }

  Matrix P_;  // (S A, S)
  Matrix r_;  // (S, A)
  Vector p0_;
  double gamma_;
  std::vector<bool> ends_;
  std::vector<Index> live_;
};

// x = F+ b for a symmetric positive semi-definite F (P, P): of all least-squares solutions the one
// of least norm. Eigenvalues below P eps times the largest count as 0. Returns the rank.
inline Index semidefinite_solve(const double* F, const double* b, Index size, double* x) {
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(Eigen::Map<const Matrix>(F, size, size));
  const Vector& values = eigen.eigenvalues();
  const double least = static_cast<double>(size) * std::numeric_limits<double>::epsilon() *
                       values.cwiseAbs().maxCoeff();
  Vector parts = eigen.eigenvectors().transpose() * Eigen::Map<const Vector>(b, size);
  for (Index i = 0; i < size; ++i) parts(i) = values(i) > least ? parts(i) / values(i) : 0.0;
  Eigen::Map<Vector>(x, size) = eigen.eigenvectors() * parts;
  return (values.array() > least).count();
}

}  // namespace pgfast
