// SPDX-License-Identifier: Apache-2.0
#include "ringcast/producers/avatar.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "caption.hpp"
#include "face.hpp"
#include "motion.hpp"
#include "ringcast/error.hpp"
#include "stage.hpp"
#include "visemes.hpp"

namespace ringcast::producers {
namespace {

std::uint64_t pause_samples(std::uint32_t rate) {
    return static_cast<std::uint64_t>(std::llround(kAvatarPauseSeconds * rate));
}

/// Where the speech stands on the flow's sample count: a pause, the speech, a pause; over again when it repeats.
class Timetable {
public:
    Timetable(const Speech& speech, bool repeats)
        : pause_(pause_samples(speech.rate)), length_(speech.samples.size()), repeats_(repeats) {}

    /// The sample of the speech that belongs to one of the flow; negative or past its end in the pauses.
    [[nodiscard]] std::int64_t speech_sample(std::uint64_t flow_sample) const {
        const std::uint64_t round = length_ + 2 * pause_;
        const std::uint64_t within = repeats_ ? flow_sample % round : flow_sample;
        return static_cast<std::int64_t>(within) - static_cast<std::int64_t>(pause_);
    }

private:
    std::uint64_t pause_;
    std::uint64_t length_;
    bool repeats_;
};

class Avatar : public Source {
public:
    Avatar(const AvatarOptions& options, Speech speech)
        : video_(options.video),
          speech_(std::move(speech)),
          timetable_(speech_, options.repeats),
          visemes_(speech_.samples, speech_.rate),
          room_(std::size_t{video_.width} * video_.height * 4) {
        if (options.captions) caption_.emplace(width(), height(), speech_.sentences);
        const auto surface = surface_over(room_.data(), width(), height());
        const ContextPtr context(cairo_create(surface.get()));
        to_stage(context.get());
        draw_room(context.get(), static_cast<double>(width()) / height());
        cairo_surface_flush(surface.get());
    }

    void draw(std::uint64_t index, std::span<std::byte> pixels) override {
        std::memcpy(pixels.data(), room_.data(), room_.size());
        const auto surface = surface_over(reinterpret_cast<unsigned char*>(pixels.data()), width(), height());
        const ContextPtr context(cairo_create(surface.get()));
        cairo_t* cr = context.get();
        // The middle of the time the frame is seen: lips are then at most half a frame off.
        const std::uint64_t sample =
            (samples_before(index, video_.fps, speech_.rate) + samples_before(index + 1, video_.fps, speech_.rate)) / 2;
        const std::int64_t said = timetable_.speech_sample(sample);
        const auto mouth = visemes_.at(static_cast<double>(said) / speech_.rate);
        const Pose pose = motion_.at(static_cast<double>(count_to_ns(index, video_.fps)) / 1e9, mouth);
        {
            const Saved saved(cr);
            to_stage(cr);
            draw_hair_behind(cr, pose);
            draw_body(cr, pose);
            draw_head(cr, pose);
        }
        if (caption_ && said >= 0) caption_->draw(cr, static_cast<std::uint64_t>(said));
        cairo_surface_flush(surface.get());
    }

    std::span<const std::byte> sound(std::uint64_t first, std::uint64_t count) override {
        const bool is_s16 = speech_.format == SampleFormat::s16;
        bytes_.resize(count * (is_s16 ? sizeof(std::int16_t) : sizeof(float)));
        for (std::uint64_t i = 0; i < count; ++i) {
            const float value = sample_at(timetable_.speech_sample(first + i));
            if (is_s16) {
                // The way back of the reader's division: 16 bit speech leaves as it came.
                const auto whole = static_cast<std::int16_t>(std::clamp(std::lrint(value * 32768.0F), -32768L, 32767L));
                std::memcpy(bytes_.data() + i * sizeof whole, &whole, sizeof whole);
            } else {
                std::memcpy(bytes_.data() + i * sizeof value, &value, sizeof value);
            }
        }
        return bytes_;
    }

private:
    [[nodiscard]] int width() const { return static_cast<int>(video_.width); }
    [[nodiscard]] int height() const { return static_cast<int>(video_.height); }
    [[nodiscard]] float sample_at(std::int64_t position) const {
        const bool inside = position >= 0 && position < static_cast<std::int64_t>(speech_.samples.size());
        return inside ? speech_.samples[static_cast<std::size_t>(position)] : 0.0F;
    }
    /// From pixels to the units of pen.hpp. Narrow pictures show the presenter smaller rather than cut.
    void to_stage(cairo_t* cr) const {
        const double scale = std::min(height() / 860.0, width() / 640.0);
        cairo_translate(cr, width() / 2.0, height() * 0.47);
        cairo_scale(cr, scale, scale);
    }

    VideoFormat video_;
    Speech speech_;
    Timetable timetable_;
    VisemeTrack visemes_;
    Motion motion_;
    std::optional<Caption> caption_;
    std::vector<unsigned char> room_;
    std::vector<std::byte> bytes_;
};

}  // namespace

std::uint64_t frames_of_speech(const Speech& speech, Rational fps) {
    const std::uint64_t samples = speech.samples.size() + 2 * pause_samples(speech.rate);
    const std::uint64_t per_frame = std::uint64_t{speech.rate} * fps.den;
    return (samples * fps.num + per_frame - 1) / per_frame;
}

std::unique_ptr<Source> make_avatar(const AvatarOptions& options, Speech speech) {
    if (options.video.format != PixelFormat::bgra) {
        throw Error(ErrorCode::invalid_argument,
                    "the avatar draws bgra, not " + std::string(name_of(options.video.format)));
    }
    return std::make_unique<Avatar>(options, std::move(speech));
}

}  // namespace ringcast::producers
