/* The arithmetic of hilladam/experiments/_compiled_arithmetic.py for the network of Figure 1, as a plain loop in C:
 * what benchmarks/table1.py holds the compiled engine to, in speed and in bits. */

#include <math.h>

enum { LAYERS = 3, WIDEST = 6, WEIGHTS = 47 };
static const int SIZES[LAYERS + 1] = {6, 4, 3, 1};

/* One run: weights w are moved; the best and the last loss are returned. Coefficients are highest power first. */
void run(double *w, const double *coefficients, int degree, double centre, long steps, double lr, double delta,
         double gamma, double *best_loss, double *last_loss) {
  const double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double m[WEIGHTS] = {0}, v[WEIGHTS] = {0}, g[WEIGHTS], hidden[LAYERS + 1][WIDEST], errors[LAYERS + 1][WIDEST];
  double power1 = 1, power2 = 1, previous = NAN, value = NAN, best = INFINITY;
  int climbs = 0;
  for (int c = 0; c < WIDEST; c++) hidden[0][c] = 1;

  for (long step = 0; step < steps; step++) {
    int at = 0;
    for (int layer = 0; layer < LAYERS; layer++) {
      int columns = SIZES[layer], rows = SIZES[layer + 1], bias = at + rows * columns;
      for (int r = 0; r < rows; r++) {
        double total = w[bias + r];
        for (int c = 0; c < columns; c++) total += w[at + r * columns + c] * hidden[layer][c];
        hidden[layer + 1][r] = total;
      }
      at = bias + rows;
    }

    double u = hidden[LAYERS][0] - centre, slope = 0;
    value = coefficients[0];
    for (int k = 1; k <= degree; k++) {
      slope = slope * u + value;
      value = value * u + coefficients[k];
    }
    if (isfinite(value) && value < best) best = value;
    int critical = fabs(value - previous) < delta, above = isfinite(value) && value > gamma;
    int turned = above ? 0 : climbs != critical;
    previous = critical || above || !isfinite(value) ? NAN : value;
    if (turned != climbs) {
      power1 = power2 = 1;
      for (int k = 0; k < WEIGHTS; k++) m[k] = v[k] = 0;
    }
    climbs = turned;

    errors[LAYERS][0] = climbs ? -slope : slope;
    for (int layer = LAYERS - 1; layer >= 0; layer--) {
      int columns = SIZES[layer], rows = SIZES[layer + 1], bias = at - rows;
      at = bias - rows * columns;
      for (int r = 0; r < rows; r++) {
        g[bias + r] = errors[layer + 1][r];
        for (int c = 0; c < columns; c++) g[at + r * columns + c] = errors[layer + 1][r] * hidden[layer][c];
      }
      for (int c = 0; c < columns; c++) {
        double total = 0;
        for (int r = 0; r < rows; r++) total += errors[layer + 1][r] * w[at + r * columns + c];
        errors[layer][c] = total;
      }
    }

    power1 *= beta1;
    power2 *= beta2;
    double correction1 = 1 / (1 - power1), correction2 = 1 / (1 - power2);
    for (int k = 0; k < WEIGHTS; k++) {
      m[k] = beta1 * m[k] + (1 - beta1) * g[k];
      v[k] = beta2 * v[k] + (1 - beta2) * g[k] * g[k];
      w[k] = w[k] - lr * (m[k] * correction1) / (sqrt(v[k] * correction2) + eps);
    }
  }
  *best_loss = best;
  *last_loss = value;
}
