"""Types of the C core; csrc/lighttls.h is its manual. Pointers and contexts are opaque to Python."""

from typing import Any, TypeAlias

_Context: TypeAlias = Any
_Out: TypeAlias = Any  # memory that C writes: made by ffi.new or ffi.from_buffer(require_writable=True)
_In: TypeAlias = Any  # bytes, or what ffi.new or ffi.from_buffer gave

class _FFI:
    def new(self, cdecl: Any, init: Any = ...) -> Any: ...
    def gc(self, cdata: Any, destructor: Any) -> Any: ...
    def buffer(self, cdata: Any, size: int = ...) -> Any: ...
    def from_buffer(self, cdecl: Any, python_buffer: Any, require_writable: bool = ...) -> Any: ...
    def typeof(self, cdecl: str) -> Any: ...
    def unpack(self, cdata: Any, length: int) -> Any: ...
    def offsetof(self, cdecl: str, field: str) -> int: ...

class _Lib:
    LT_OK: int
    LT_ERR_ARGUMENT: int
    LT_ERR_SPACE: int
    LT_ERR_AUTH: int
    LT_ERR_OVERFLOW: int
    LT_ERR_VERSION: int
    LT_ERR_SEQUENCE: int
    LT_ERR_POINT: int
    LT_ERR_SCALAR: int
    LT_ERR_KEY: int
    LT_ERR_UNSUPPORTED: int
    LT_ERR_BUSY: int

    LT_SHA256: int
    LT_SHA384: int
    LT_SHA512: int
    LT_AES_128_GCM: int
    LT_AES_256_GCM: int
    LT_CHACHA20_POLY1305: int
    LT_AES_128_CCM: int
    LT_AES_256_CCM: int
    LT_AES_128_CCM_8: int
    LT_AES_256_CCM_8: int
    LT_SECP256R1: int
    LT_SECP384R1: int
    LT_X25519: int

    LT_SIGNATURE_MAX: int
    LT_CUT_HEAD: int
    LT_VERIFY_DATA_LEN: int
    LT_CUT_NUMBERS: int
    LT_FACT_ORDINARY: int
    LT_FACT_AUTHORITY: int
    LT_FACT_CERT_SIGN: int
    LT_FACT_DIGITAL_SIGNATURE: int
    LT_FACT_SERVER_AUTH: int
    LT_FACT_CLIENT_AUTH: int
    LT_FACT_KEY: int
    LT_CPU_AESNI: int
    LT_CPU_CLMUL: int
    LT_CPU_SHANI: int
    LT_CPU_AVX2: int
    LT_CPU_BMI2_ADX: int
    LT_CPU_VAES: int
    LT_CPU_AVX512: int
    LT_CPU_IFMA: int
    LT_CPU_NEON: int
    LT_CPU_ARM_AES: int
    LT_CPU_ARM_SHA2: int
    def lt_cpu_features(self) -> int: ...
    def lt_cpu_restrict(self, allowed: int) -> None: ...
    def lt_wipe(self, memory: _Out, len: int) -> None: ...
    def lt_equal(self, left: _In, right: _In, len: int) -> int: ...
    def lt_hash(self, digest: _Out, algorithm: int, in_: _In, in_len: int) -> int: ...
    def lt_hash_on(self, hash: _Context, algorithm: int, in_: _In, in_len: int) -> int: ...
    def lt_hmac(self, tag: _Out, algorithm: int, key: _In, key_len: int, in_: _In, in_len: int) -> int: ...
    def lt_test_prf(
        self,
        out: _Out,
        out_len: int,
        algorithm: int,
        secret: _In,
        secret_len: int,
        label: _In,
        label_len: int,
        seed: _In,
        seed_len: int,
    ) -> int: ...
    def lt_test_aead_seal(
        self,
        aead: int,
        key: _In,
        key_len: int,
        nonce: _In,
        aad: _In,
        aad_len: int,
        out: _Out,
        in_: _In,
        in_len: int,
    ) -> int: ...
    def lt_test_aead_open(
        self,
        aead: int,
        key: _In,
        key_len: int,
        nonce: _In,
        aad: _In,
        aad_len: int,
        out: _Out,
        in_: _In,
        in_len: int,
    ) -> int: ...
    def lt_key_share_generate(
        self, share: _Context, public_key: _Out, public_key_cap: int, group: int, random: _Out, random_len: int
    ) -> int: ...
    def lt_key_share_derive(self, share: _Context, premaster: _Context, peer: _In, peer_len: int) -> int: ...
    def lt_key_agree(
        self,
        public_key: _Out,
        public_key_cap: int,
        premaster: _Context,
        group: int,
        random: _Out,
        random_len: int,
        peer: _In,
        peer_len: int,
    ) -> int: ...
    def lt_premaster_set(self, premaster: _Context, secret: _Out, secret_len: int) -> int: ...
    def lt_premaster_set_psk(self, premaster: _Context, key: _In, key_len: int) -> int: ...
    def lt_premaster_add_psk(self, premaster: _Context, key: _In, key_len: int) -> int: ...
    def lt_test_premaster_get(self, premaster: _Context, out: _Out) -> int: ...
    def lt_key_share_wipe(self, share: _Context) -> None: ...
    def lt_premaster_wipe(self, premaster: _Context) -> None: ...
    def lt_signing_key_set(self, key: _Context, scalar: _Out, scalar_len: int) -> int: ...
    def lt_signing_key_sign(
        self,
        key: _Context,
        signature: _Out,
        signature_cap: int,
        digest: _In,
        digest_len: int,
        extra: _In,
        extra_len: int,
    ) -> int: ...
    def lt_signing_key_wipe(self, key: _Context) -> None: ...
    def lt_certificate_cut_vartime(self, cut: _Out, certificate: _In, certificate_len: int) -> int: ...
    def lt_verify_vartime(
        self,
        scheme: int,
        spki: _In,
        spki_len: int,
        signature: _In,
        signature_len: int,
        message: _In,
        message_len: int,
    ) -> int: ...
    def lt_public_key_set_vartime(self, key: _Context, spki: _In, spki_len: int) -> int: ...
    def lt_public_key_verify_vartime(
        self,
        key: _Context,
        scheme: int,
        signature: _In,
        signature_len: int,
        message: _In,
        message_len: int,
    ) -> int: ...
    def lt_key_schedule_derive(
        self,
        schedule: _Context,
        aead: int,
        prf: int,
        premaster: _Context,
        client_random: _In,
        server_random: _In,
        session_hash: _In,
        session_hash_len: int,
    ) -> int: ...
    def lt_key_schedule_resume(
        self,
        schedule: _Context,
        aead: int,
        prf: int,
        master_secret: _In,
        client_random: _In,
        server_random: _In,
    ) -> int: ...
    def lt_key_schedule_finished(
        self, schedule: _Context, verify_data: _Out, server: int, transcript_hash: _In, transcript_hash_len: int
    ) -> int: ...
    def lt_key_schedule_check_finished(
        self,
        schedule: _Context,
        transcript_hash: _In,
        transcript_hash_len: int,
        verify_data: _In,
        verify_data_len: int,
    ) -> int: ...
    def lt_key_schedule_record_keys(
        self, schedule: _Context, client_write: _Context, server_write: _Context
    ) -> int: ...
    def lt_key_schedule_finish(
        self,
        schedule: _Context,
        verify_data: _Out,
        client_write: _Context,
        server_write: _Context,
        transcript_hash: _In,
        transcript_hash_len: int,
    ) -> int: ...
    def lt_key_schedule_export(
        self,
        schedule: _Context,
        out: _Out,
        out_len: int,
        label: _In,
        label_len: int,
        context: _In,
        context_len: int,
    ) -> int: ...
    def lt_key_schedule_master_secret(self, schedule: _Context, out: _Out) -> int: ...
    def lt_key_schedule_wipe(self, schedule: _Context) -> None: ...
    def lt_record_keys_wipe(self, keys: _Context) -> None: ...

    LT_RECORD_MAX: int
    LT_RECORD_EXPANSION: int
    LT_SPANS: int
    LT_OPENED_DATA: int
    LT_SEALED_DATA: int
    def lt_records_seal(
        self,
        keys: _Context,
        out: _Out,
        out_cap: int,
        content_type: int,
        in_: _In,
        in_len: int,
        fragment: int,
        reserve: int,
    ) -> int: ...
    def lt_records_seal_data(self, keys: _Context, out: _Out, out_cap: int, in_: _In, in_len: int) -> int: ...
    def lt_records_open(self, keys: _Context, out: _Context, in_: _In, in_len: int, limit: int) -> int: ...
    def lt_records_open_data(self, keys: _Context, out: _Out, out_cap: int, in_: _In, in_len: int) -> int: ...
    def lt_record_keys_short_bytes(self, keys: _Context) -> int: ...
    def lt_records_open_into(
        self, keys: _Context, out: _Out, out_cap: int, consumed: _Out, in_: _In, in_len: int
    ) -> int: ...
    def lt_test_record_keys_sequence(self, keys: _Context, sequence: int) -> None: ...

ffi: _FFI
lib: _Lib
