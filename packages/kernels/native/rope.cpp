#include "rope.h"

#include <math.h>

namespace octet {

Rope::Rope(double theta, int64_t headDim) : frequencies_(size_t(headDim / 2)) {
  for (size_t i = 0; i < frequencies_.size(); i++) {
    const float exponent = float(2 * i) / float(headDim);
    frequencies_[i] = 1.0f / float(pow(theta, double(exponent)));
  }
}

void Rope::fillTable(int64_t position, float* cosSin) const {
  const size_t half = frequencies_.size();
  for (size_t i = 0; i < half; i++) {
    const float angle = float(position) * frequencies_[i];
    cosSin[i] = float(cos(double(angle)));
    cosSin[half + i] = float(sin(double(angle)));
  }
}

}  // namespace octet
