// SPDX-License-Identifier: Apache-2.0
/// Writes what `ringcast testsrc` would put on a bus to two raw files: the known input for tests of the mark reader.
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <vector>

#include "ringcast/producers/testsrc.hpp"

namespace {

using namespace ringcast;

std::uint32_t number(const std::string& word) {
    return static_cast<std::uint32_t>(std::stoul(word));
}

void dump(const std::vector<std::string>& words) {
    const VideoFormat video{pixel_format_from(words[0]).value(), number(words[1]), number(words[2]),
                            parse_fps(words[3]).value()};
    const AudioFormat audio{SampleFormat::s16, number(words[4]), 1};
    const auto source = producers::make_testsrc(video, audio);
    std::ofstream pictures(words[6], std::ios::binary);
    std::ofstream sound(words[7], std::ios::binary);
    std::vector<std::byte> frame(frame_bytes(make_caps(video)));
    std::uint64_t position = 0;
    for (std::uint64_t index = 0; index < number(words[5]); ++index) {
        source->draw(index, frame);
        pictures.write(reinterpret_cast<const char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
        const std::uint64_t end = producers::samples_before(index + 1, video.fps, audio.rate);
        const auto samples = source->sound(position, end - position);
        sound.write(reinterpret_cast<const char*>(samples.data()), static_cast<std::streamsize>(samples.size()));
        position = end;
    }
    if (!pictures.flush() || !sound.flush()) throw std::runtime_error("cannot write the files");
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.size() != 8) {
        std::fputs("usage: ringcast-testsrc-dump FORMAT WIDTH HEIGHT FPS RATE FRAMES VIDEO_FILE AUDIO_FILE\n", stderr);
        return 2;
    }
    try {
        dump(words);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "ringcast-testsrc-dump: %s\n", error.what());
        return 1;
    }
    return 0;
}
