// SPDX-License-Identifier: Apache-2.0
#include "visemes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace ringcast::producers {
namespace {

constexpr double kHopSeconds = 0.01;
constexpr double kSmoothSeconds = 0.022;  // lips cannot move faster than this
constexpr double kGestureSeconds = 0.35;
constexpr float kFloorDb = -34;  // below the loud parts: a closed mouth

// Where vowels differ: the first formant tells an open jaw, the second wide from round lips, the top band sibilants.
struct Band {
    double from_hz, to_hz;
};
constexpr std::array<Band, 6> kBands{
    {{200, 450}, {450, 1000}, {1000, 1600}, {1600, 3000}, {3000, 4500}, {4500, 10000}}};
using BandEnergies = std::array<float, kBands.size()>;

/// Second-order band-pass of unit gain at its centre.
class BandPass {
public:
    BandPass(const Band& band, double rate) {
        const double top = std::min(band.to_hz, rate * 0.45);
        const double bottom = std::min(band.from_hz, top * 0.9);
        const double centre = std::sqrt(bottom * top);
        const double w = 2 * std::numbers::pi * centre / rate;
        const double alpha = std::sin(w) * (top - bottom) / (2 * centre);
        gain_ = alpha / (1 + alpha);
        a1_ = -2 * std::cos(w) / (1 + alpha);
        a2_ = (1 - alpha) / (1 + alpha);
    }
    double run(double x) {
        const double y = gain_ * (x - x2_) - a1_ * y1_ - a2_ * y2_;
        x2_ = x1_;
        x1_ = x;
        y2_ = y1_;
        y1_ = y;
        return y;
    }

private:
    double gain_ = 0, a1_ = 0, a2_ = 0;
    double x1_ = 0, x2_ = 0, y1_ = 0, y2_ = 0;
};

std::vector<BandEnergies> band_energies(std::span<const float> samples, std::uint32_t rate, std::size_t hops) {
    std::vector<BandEnergies> energies(hops, BandEnergies{});
    for (std::size_t band = 0; band < kBands.size(); ++band) {
        if (kBands[band].from_hz >= rate * 0.45) continue;
        BandPass filter(kBands[band], rate);
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const double y = filter.run(samples[i]);
            const auto hop = static_cast<std::size_t>(static_cast<double>(i) / (kHopSeconds * rate));
            energies[std::min(hop, hops - 1)][band] += static_cast<float>(y * y / (kHopSeconds * rate));
        }
    }
    return energies;
}

float total(const BandEnergies& energies) {
    float sum = 0;
    for (const float energy : energies)
        sum += energy;
    return sum;
}

/// Energy of the loud parts: what only one hop in twenty passes, of those that are not silent.
float loud_energy(const std::vector<BandEnergies>& energies) {
    std::vector<float> totals;
    for (const auto& hop : energies) {
        if (total(hop) > 1e-7F) totals.push_back(total(hop));
    }
    if (totals.empty()) return 0;
    const auto at = totals.begin() + static_cast<std::ptrdiff_t>(totals.size() * 95 / 100);
    std::nth_element(totals.begin(), at, totals.end());
    return *at;
}

float ramp(float from, float to, float x) {
    return std::clamp((x - from) / (to - from), 0.0F, 1.0F);
}

MouthShape shape_of(const BandEnergies& e, float loud) {
    const float sum = total(e);
    if (sum <= 1e-9F) return {};
    const float db = 10 * std::log10(sum / loud);
    const float level = ramp(kFloorDb, -2, db);
    const float low = e[0] + e[1] + 1e-9F;
    const float jaw = ramp(0.15F, 0.75F, e[1] / low);  // high first formant
    const float front = ramp(0.10F, 0.65F, (e[3] + e[4]) / (e[2] + e[3] + e[4] + 0.08F * low));
    const float hiss = ramp(0.35F, 0.75F, (e[4] + e[5]) / sum);
    MouthShape shape;
    shape.voice = level;
    shape.teeth = hiss * level;
    shape.open = level * level * (0.35F + 0.65F * jaw) * (1 - 0.75F * hiss);
    shape.wide = level * std::max(front * (1 - 0.4F * jaw), 0.7F * hiss);
    shape.round = level * (1 - front) * (1 - 0.7F * jaw) * (1 - hiss);
    return shape;
}

/// Gauss in both directions: no delay.
void smooth(std::vector<MouthShape>& shapes, float MouthShape::*field, double seconds) {
    const double sigma = seconds / kHopSeconds;
    const auto reach = static_cast<std::ptrdiff_t>(std::ceil(3 * sigma));
    std::vector<float> kernel;
    for (std::ptrdiff_t k = -reach; k <= reach; ++k) {
        kernel.push_back(static_cast<float>(std::exp(-0.5 * static_cast<double>(k * k) / (sigma * sigma))));
    }
    float weight = 0;
    for (const float k : kernel)
        weight += k;
    std::vector<float> out(shapes.size());
    const auto size = static_cast<std::ptrdiff_t>(shapes.size());
    for (std::ptrdiff_t i = 0; i < size; ++i) {
        float sum = 0;
        for (std::ptrdiff_t k = -reach; k <= reach; ++k) {
            if (i + k < 0 || i + k >= size) continue;
            sum += kernel[static_cast<std::size_t>(k + reach)] * (shapes[static_cast<std::size_t>(i + k)].*field);
        }
        out[static_cast<std::size_t>(i)] = sum / weight;
    }
    for (std::size_t i = 0; i < out.size(); ++i)
        shapes[i].*field = out[i];
}

MouthShape between(const MouthShape& a, const MouthShape& b, float t) {
    return {std::lerp(a.open, b.open, t), std::lerp(a.wide, b.wide, t), std::lerp(a.round, b.round, t),
            std::lerp(a.teeth, b.teeth, t), std::lerp(a.voice, b.voice, t)};
}

}  // namespace

VisemeTrack::VisemeTrack(std::span<const float> samples, std::uint32_t rate) {
    if (samples.empty() || rate == 0) return;
    const auto hops = static_cast<std::size_t>(static_cast<double>(samples.size()) / (kHopSeconds * rate)) + 1;
    const auto energies = band_energies(samples, rate, hops);
    const float loud = loud_energy(energies);
    shapes_.resize(hops);
    if (loud <= 0) return;
    std::transform(energies.begin(), energies.end(), shapes_.begin(),
                   [loud](const BandEnergies& hop) { return shape_of(hop, loud); });
    for (const auto field : {&MouthShape::open, &MouthShape::teeth})
        smooth(shapes_, field, kSmoothSeconds);
    for (const auto field : {&MouthShape::wide, &MouthShape::round})
        smooth(shapes_, field, 1.6 * kSmoothSeconds);
    smooth(shapes_, &MouthShape::voice, kGestureSeconds);
}

MouthShape VisemeTrack::at(double seconds) const {
    // A hop's energy stands for its middle.
    const double position = seconds / kHopSeconds - 0.5;
    if (shapes_.empty() || position < -1 || position >= static_cast<double>(shapes_.size())) return {};
    const double whole = std::floor(position);
    const auto shape = [&](double index) {
        const bool inside = index >= 0 && index < static_cast<double>(shapes_.size());
        return inside ? shapes_[static_cast<std::size_t>(index)] : MouthShape{};
    };
    return between(shape(whole), shape(whole + 1), static_cast<float>(position - whole));
}

}  // namespace ringcast::producers
