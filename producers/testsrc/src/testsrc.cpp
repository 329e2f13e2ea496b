// SPDX-License-Identifier: Apache-2.0
#include "ringcast/producers/testsrc.hpp"

#include <string>

#include "picture.hpp"
#include "sound.hpp"

namespace ringcast::producers {
namespace {

std::string label_of(const VideoFormat& video, const AudioFormat& audio) {
    return "ringcast testsrc   " + std::to_string(video.width) + "x" + std::to_string(video.height) + "   " +
           format_fps(video.fps) + " fps   " + std::string(name_of(video.format)) + "   " + std::to_string(audio.rate) +
           " Hz   " + std::to_string(audio.channels) + " ch";
}

class Testsrc : public Source {
public:
    Testsrc(const VideoFormat& video, const AudioFormat& audio)
        : picture_(video, label_of(video, audio)), sound_(audio, video.fps) {}
    void draw(std::uint64_t index, std::span<std::byte> pixels) override { picture_.draw(index, pixels); }
    std::span<const std::byte> sound(std::uint64_t first, std::uint64_t count) override {
        return sound_.block(first, count);
    }

private:
    Picture picture_;
    Sound sound_;
};

}  // namespace

std::unique_ptr<Source> make_testsrc(const VideoFormat& video, const AudioFormat& audio) {
    (void)make_caps(audio);  // for its checks
    return std::make_unique<Testsrc>(video, audio);
}

}  // namespace ringcast::producers
