/* A TLS 1.2 server by Botan 2; server.h says what it does. */

#include "server.h"

#include <botan/auto_rng.h>
#include <botan/certstor.h>
#include <botan/credentials_manager.h>
#include <botan/data_src.h>
#include <botan/pkcs8.h>
#include <botan/tls_callbacks.h>
#include <botan/tls_ciphersuite.h>
#include <botan/tls_handshake_msg.h>
#include <botan/tls_policy.h>
#include <botan/tls_server.h>
#include <botan/tls_session_manager.h>
#include <botan/x509cert.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace TLS = Botan::TLS;

namespace {

const settings *wanted;
Botan::AutoSeeded_RNG rng;

class Credentials : public Botan::Credentials_Manager {
  public:
    explicit Credentials(const settings &given) : ticket_key(rng, 32) {
        if (given.chain != nullptr) {
            Botan::DataSource_Stream file(given.chain);
            while (!file.end_of_data()) {
                try {
                    chain.emplace_back(file);
                } catch (const Botan::Decoding_Error &) {
                    break; /* nothing but a line's end is left */
                }
            }
            Botan::DataSource_Stream key_file(given.key);
            key = Botan::PKCS8::load_key(key_file);
        }
        if (given.clients != nullptr) {
            authorities.add_certificate(Botan::X509_Certificate(given.clients));
        }
    }

    std::vector<Botan::Certificate_Store *> trusted_certificate_authorities(const std::string &,
                                                                            const std::string &) override {
        return wanted->clients ? std::vector<Botan::Certificate_Store *>{&authorities}
                               : std::vector<Botan::Certificate_Store *>{};
    }

    std::vector<Botan::X509_Certificate> cert_chain(const std::vector<std::string> &types, const std::string &,
                                                    const std::string &) override {
        bool fits = key && std::find(types.begin(), types.end(), key->algo_name()) != types.end();
        return fits ? chain : std::vector<Botan::X509_Certificate>{};
    }

    Botan::Private_Key *private_key_for(const Botan::X509_Certificate &, const std::string &,
                                        const std::string &) override {
        return key.get();
    }

    std::string psk_identity_hint(const std::string &, const std::string &) override {
        return wanted->hint ? wanted->hint : "";
    }

    /* Botan asks here for the key of its tickets too, and has none without it. */
    Botan::SymmetricKey psk(const std::string &type, const std::string &context, const std::string &identity) override {
        if (context == "session-ticket") {
            return ticket_key;
        }
        if (wanted->identity != nullptr && identity == wanted->identity) {
            return Botan::SymmetricKey(wanted->psk, wanted->psk_len);
        }
        return Botan::Credentials_Manager::psk(type, context, identity);
    }

  private:
    std::vector<Botan::X509_Certificate> chain;
    std::unique_ptr<Botan::Private_Key> key;
    Botan::Certificate_Store_In_Memory authorities;
    Botan::SymmetricKey ticket_key;
};

class Policy : public TLS::Policy {
  public:
    std::vector<uint16_t> ciphersuite_list(TLS::Protocol_Version, bool) const override {
        std::vector<uint16_t> known;
        std::copy_if(wanted->suites, wanted->suites + wanted->suite_count, std::back_inserter(known),
                     [](uint16_t suite) { return TLS::Ciphersuite::by_id(suite).valid(); });
        return known;
    }

    std::vector<TLS::Group_Params> key_exchange_groups() const override {
        return wanted->group ? std::vector<TLS::Group_Params>{static_cast<TLS::Group_Params>(wanted->group)}
                             : TLS::Policy::key_exchange_groups();
    }

    bool require_client_certificate_authentication() const override {
        return wanted->clients != nullptr;
    }
    bool request_client_certificate_authentication() const override {
        return wanted->clients != nullptr;
    }
    bool require_cert_revocation_info() const override {
        return false;
    }
    bool allow_tls10() const override {
        return false;
    }
    bool allow_tls11() const override {
        return false;
    }
};

/* One connection: sends what Botan gives, echoes, and notes what was agreed. */
class Talk : public TLS::Callbacks {
  public:
    explicit Talk(int descriptor) : fd(descriptor) {
    }

    void tls_emit_data(const uint8_t data[], size_t size) override {
        while (size > 0) {
            ssize_t sent = write(fd, data, size);
            if (sent <= 0) {
                throw Botan::Exception("the client takes no more");
            }
            data += sent;
            size -= static_cast<size_t>(sent);
        }
    }

    void tls_record_received(uint64_t, const uint8_t data[], size_t size) override {
        received.insert(received.end(), data, data + size);
    }

    void tls_alert(TLS::Alert alert) override {
        if (alert.type() == TLS::Alert::CLOSE_NOTIFY) {
            parted = true;
        } else if (alert.is_fatal()) {
            throw Botan::Exception("alert " + alert.type_string());
        }
    }

    void tls_inspect_handshake_msg(const TLS::Handshake_Message &message) override {
        full = full || message.type() == TLS::CLIENT_KEX;
    }

    bool tls_session_established(const TLS::Session &session) override {
        suite = session.ciphersuite_code();
        const auto &certificates = session.peer_certs();
        has_client = !certificates.empty();
        if (has_client) {
            client = certificates[0].subject_info("X520.CommonName").at(0);
        }
        return true; /* save it */
    }

    void tls_session_activated() override {
        say_connected(suite, !full, has_client ? client.c_str() : nullptr);
    }

    const int fd;
    bool parted = false;
    std::vector<uint8_t> received;

  private:
    bool full = false;
    bool has_client = false;
    uint16_t suite = 0;
    std::string client;
};

std::unique_ptr<Credentials> credentials;
TLS::Session_Manager_In_Memory sessions(rng);
const Policy policy;

} // namespace

void server_start(const settings *given) {
    wanted = given;
    try {
        credentials = std::make_unique<Credentials>(*given);
    } catch (const std::exception &error) {
        give_up(error.what());
    }
    if (policy.ciphersuite_list(TLS::Protocol_Version::TLS_V12, false).empty()) {
        cannot("Botan does not know this suite");
    }
}

void server_talk(int fd) {
    Talk talk(fd);
    TLS::Server tls(talk, sessions, *credentials, policy, rng);
    try {
        uint8_t data[16384];
        bool to_renegotiate = wanted->renegotiate;
        while (!talk.parted) {
            ssize_t len = read(fd, data, sizeof data);
            if (len <= 0) {
                throw Botan::Exception("end of stream without close_notify");
            }
            tls.received_data(data, static_cast<size_t>(len));
            if (!talk.received.empty() && to_renegotiate) {
                to_renegotiate = false;
                tls.renegotiate();
            }
            if (!talk.received.empty() && tls.is_active()) { /* not if the client has parted behind them */
                tls.send(talk.received);
                talk.received.clear();
            }
        }
        tls.close();
        say_closed();
    } catch (const std::exception &error) {
        say_failed(error.what());
    }
}
