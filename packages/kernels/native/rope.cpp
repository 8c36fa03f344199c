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

void Rope::rotate(const float* cosSin, int64_t headDim, float* head) {
  const int64_t half = headDim / 2;
  for (int64_t i = 0; i < half; i++) {
    const float a = head[i], b = head[half + i];
    const float cosine = cosSin[i], sine = cosSin[half + i];
    head[i] = a * cosine - b * sine;
    head[half + i] = b * cosine + a * sine;
  }
}

}  // namespace octet
