// SPDX-License-Identifier: Apache-2.0
/// `ringcast ingest`: somebody else's stream onto a bus.
#include "ringcast/producers/ingest.hpp"

#include <sys/prctl.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "host/plugin_error.hpp"
#include "host/secret_source.hpp"
#include "ingest_console.hpp"
#include "producer_options.hpp"
#include "safe_words.hpp"

namespace ringcast::tools {

namespace {

struct Options {
    std::string url;
    std::string bus;
    std::string name = "ingest";
    std::string passphrase;
    std::string streamid;
    std::string key;
    std::string latency;
    std::string tls_ca;
    std::string tls_verify = "yes";
    std::vector<std::string> modes;
    std::string group;
    bool packets = false;
    bool decode = false;
    bool listen = false;
    bool once = false;
    bool json = false;
};

/// Nobody may look into a process that holds a secret, nor find it in a core dump.
void shut_the_process() {
    prctl(PR_SET_DUMPABLE, 0);
}

/// The value of a secret word.
std::string secret_of(const char* option, const std::string& value) {
    if (value.empty()) return {};
    shut_the_process();
    const auto source = host::SecretSource::parse(option, value);
    if (!source) {
        throw UsageError(std::string(option) +
                         " is a secret, and every user of this machine can read a command line: " + "use " + option +
                         " env:NAME or " + option + " file:PATH");
    }
    std::string taken = source->take();
    if (source->is_open_to_all()) {
        std::fprintf(stderr,
                     "ringcast ingest: warning: %s: every user of this machine can read that file; chmod 600 it\n",
                     source->text().c_str());
    }
    return taken;
}

/// The address may be a secret as a whole.
std::string address_of(const Options& options, SafeWords& words) {
    const auto source = host::SecretSource::parse("URL", options.url);
    if (!source) return options.url;
    shut_the_process();
    std::string url = source->take();
    words.hide_address(url);
    return url;
}

ingest::IngestOptions ingest_options(const Options& options, SafeWords& words) {
    ingest::IngestOptions ingest;
    try {
        ingest.address.url = address_of(options, words);
        ingest.address.passphrase = secret_of("--passphrase", options.passphrase);
        ingest.address.streamid = secret_of("--streamid", options.streamid);
        ingest.address.key = secret_of("--key", options.key);
    } catch (const host::UsageError& error) {
        throw UsageError(error.what());
    }
    for (const std::string* secret : {&ingest.address.passphrase, &ingest.address.streamid, &ingest.address.key})
        words.hide(*secret);
    ingest.address.latency = options.latency;
    ingest.address.tls_ca = options.tls_ca;
    ingest.address.tls_verify = options.tls_verify == "yes";
    ingest.address.listen = options.listen;
    ingest.mode = options.decode ? ingest::IngestMode::decode : ingest::IngestMode::packets;
    ingest.producer.bus = options.bus;
    ingest.producer.name = options.name;
    apply_modes(options.modes, ingest.producer);
    ingest.producer.group = options.group;
    ingest.once = options.once;
    return ingest;
}

int run(const Options& options) {
    SafeWords& words = safe_words();
    if (words.has_exposed_secret()) {
        shut_the_process();
        std::fputs(
            "ringcast ingest: warning: the address on the command line carries a secret, which every user of this "
            "machine could read: use env:NAME or file:PATH for the address, or leave it out and use --key, "
            "--passphrase or --streamid\n",
            stderr);
    }
    try {
        const ingest::IngestOptions ingest = ingest_options(options, words);
        ingest::check_address(ingest.address);
        std::signal(SIGPIPE, SIG_IGN);  // whoever reads the figures may go; the stream stays
        IngestConsole console(options.bus, options.json, words);
        console.summarise(ingest::run_ingest(ingest, console, producers::stop_on_signals()));
    } catch (const ingest::AddressError& error) {
        throw UsageError(words.clean(error.what()));
    } catch (const ingest::IngestError& error) {
        throw VerbError(words.clean(error.what()));
    }
    return kExitOk;
}

void add_words(host::Command& verb, Options& options) {
    verb.option("url", options.url, "Where the stream comes from: srt://, rtmp:// or rtmps://; env:NAME, file:PATH.")
        .required()
        .type_name("URL");
    verb.option("--bus", options.bus, "The bus to write to.").required().check(check_bus_name).type_name("BUS");
    const host::Option packets =
        verb.flag("--packets", options.packets,
                  "Put packets on the bus as they come (default): no CPU, times exact. H.264, H.265, "
                  "AAC, Opus.");
    verb.flag("--decode", options.decode, "Decode: pictures (I420, NV12) and sound (f32), of any codec.")
        .excludes(packets);
    verb.option("--passphrase", options.passphrase, "SRT: what the stream is encrypted with.")
        .type_name("env:NAME|file:PATH");
    verb.option("--streamid", options.streamid, "SRT: what to ask the listener for; listening: what to insist on.")
        .type_name("env:NAME|file:PATH");
    verb.option("--latency", options.latency,
                "SRT: time to repair losses, 200ms unless said; the longer of both ends "
                "counts.")
        .type_name("TIME");
    verb.option("--key", options.key, "RTMP: name of the stream; listening: what to insist on.")
        .type_name("env:NAME|file:PATH");
    verb.option("--tls-ca", options.tls_ca, "RTMPS: trust only the authorities in this PEM file.").type_name("FILE");
    verb.option("--tls-verify", options.tls_verify,
                "RTMPS: no takes any certificate, so that anybody on the way can read the key.")
        .one_of({"yes", "no"});
    verb.flag("--listen", options.listen, "RTMP: wait for a publisher, as an address without a host does.");
    verb.flag("--once", options.once, "End with the first connection that carried media.");
    verb.option("--mode", options.modes, "Who may read the bus: 0600, 0640 (default), 0660, 0644.")
        .check([](const std::string& text) { return check_permissions(text); })
        .one_value_each()
        .type_name("0640");
    verb.option("--group", options.group, "Group whose members may read the bus (sinks of other users, containers).")
        .type_name("GROUP");
    verb.option("--name", options.name, "Name that the inspector shows.").show_default().type_name("NAME");
    add_json_flag(verb, options.json);
}

}  // namespace

void add_ingest(host::Command& command, int& exit_code) {
    auto options = std::make_shared<Options>();
    host::Command verb =
        command.add_verb("ingest", "Put somebody else's stream onto a bus: SRT or RTMP, called or awaited.");
    verb.set_usage("URL --bus BUS [--packets|--decode] [--once] ...");
    add_words(verb, *options);
    verb.set_footer(
        "An address without a host waits for whoever sends; with one it is called, again and again when it is lost.\n"
        "srt:// also takes mode=caller|listener|rendezvous, latency=200ms, pbkeylen=16|24|32 in its query.\n"
        "Times are kept; when the source begins anew it goes on where it ended, picture and sound by one shift.\n\n"
        "Examples:\n"
        "  ringcast ingest srt://:9000 --bus guest                      wait for an SRT sender\n"
        "  ringcast ingest srt://studio.example:9000 --bus guest --passphrase env:PASS\n"
        "  ringcast ingest rtmp://:1935/live --bus guest --key file:key.txt   wait for OBS or ffmpeg\n"
        "  ringcast ingest rtmp://media.example/live --bus guest --key file:key.txt --decode --json");
    run_as_verb(verb, exit_code, [options] { return run(*options); });
}

}  // namespace ringcast::tools
