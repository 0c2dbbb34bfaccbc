"""The form of a token, rules F1 to F5: every defect stands under a signature that would otherwise hold."""

import json

import pytest
from harness import decode, encode
from jws import GOOD, ec_key, header_of, token_of
from issuer import claims_of
from joserfc import jwe, jwk

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture(scope="module")
def url(world):
    return world.issuer(ec_key().jwk())


def core(value):
    """The members of an object, as text."""
    return json.dumps(value, separators=(",", ":"))[1:-1].encode()


def signed(url, header=b"{@}", claims=b"{@}"):
    """A token of these texts, in which `@` stands for what makes it valid."""
    header = header.replace(b"@", core(header_of("ES256")))
    claims = claims.replace(b"@", core(claims_of(url)))
    return signed_parts(encode(header), encode(claims))


def signed_parts(header, claims):
    message = f"{header}.{claims}"
    return token_of(message, ec_key().sign(message))


def as_json(header, claims, signature):
    return {"protected": header, "payload": claims, "signature": signature}


def general(header, claims, signature):
    return {"payload": claims, "signatures": [{"protected": header, "signature": signature}]}


# What is made of the three parts of a token that is allowed.
FORMS = {
    "no part": (lambda h, c, s: ".", "token_malformed"),
    "two parts": (lambda h, c, s: f"{h}.{c}", "token_malformed"),
    "one part": (lambda h, c, s: h, "token_malformed"),
    "the signature alone": (lambda h, c, s: s, "token_malformed"),
    "four parts": (lambda h, c, s: f"{h}.{c}.{s}.{s}", "token_malformed"),
    "an empty fourth part": (lambda h, c, s: f"{h}.{c}.{s}.", "token_malformed"),
    "an empty part before the header": (lambda h, c, s: f".{h}.{c}.{s}", "token_malformed"),
    "an empty part before the signature": (lambda h, c, s: f"{h}.{c}..{s}", "token_malformed"),
    "five parts, the form of a JWE": (lambda h, c, s: f"{h}.{c}.{s}.{c}.{s}", "token_encrypted"),
    "five parts, some of them empty": (lambda h, c, s: f"{h}..{c}..{s}", "token_encrypted"),
    "six parts": (lambda h, c, s: f"{h}.{c}.{s}.{h}.{c}.{s}", "token_malformed"),
    "empty header": (lambda h, c, s: f".{c}.{s}", "token_malformed"),
    "empty claims": (lambda h, c, s: f"{h}..{s}", "token_malformed"),
    "empty signature": (lambda h, c, s: f"{h}.{c}.", "token_unsigned"),
    "nothing but dots": (lambda h, c, s: "..", "token_malformed"),
    "the order of the parts": (lambda h, c, s: f"{c}.{h}.{s}", "token_malformed"),
    "flattened JSON serialization": (lambda h, c, s: json.dumps(as_json(h, c, s)), "credential_ambiguous"),
    "general JSON serialization": (lambda h, c, s: json.dumps(general(h, c, s)), "credential_ambiguous"),
    "a JSON object of one member": (lambda h, c, s: compact_json({"token": f"{h}.{c}.{s}"}), "token_malformed"),
    "a JSON string": (lambda h, c, s: f'"{h}.{c}.{s}"', "token_malformed"),
    "colons for dots": (lambda h, c, s: f"{h}:{c}:{s}", "token_malformed"),
    "escaped dots": (lambda h, c, s: f"{h}%2E{c}%2E{s}", "token_malformed"),
    "wide dots": (lambda h, c, s: f"{h}\uff0e{c}\uff0e{s}", "token_malformed"),
    "wide letters": (lambda h, c, s: f"\uff45{h[1:]}.{c}.{s}", "token_malformed"),
    "an escaped letter": (lambda h, c, s: f"%65{h[1:]}.{c}.{s}", "token_malformed"),
    "BOM": (lambda h, c, s: f"\ufeff{h}.{c}.{s}", "token_malformed"),
    "NUL at the end": (lambda h, c, s: f"{h}.{c}.{s}\0", "token_malformed"),
    "a query at the end": (lambda h, c, s: f"{h}.{c}.{s}?a=b", "token_malformed"),
    "a semicolon at the end": (lambda h, c, s: f"{h}.{c}.{s};", "token_malformed"),
    "an ellipsis at the end": (lambda h, c, s: f"{h}.{c}.{s}\u2026", "token_malformed"),
    "a no-break space at the end of the claims": (lambda h, c, s: f"{h}.{c}\u00a0.{s}", "credential_malformed"),
    "a zero-width space before a dot": (lambda h, c, s: f"{h}\u200b.{c}.{s}", "token_malformed"),
    "two tokens": (lambda h, c, s: f"{h}.{c}.{s},{h}.{c}.{s}", "credential_ambiguous"),
    "two tokens, with a blank": (lambda h, c, s: f"{h}.{c}.{s} {h}.{c}.{s}", "credential_malformed"),
    "everything in upper case": (lambda h, c, s: f"{h}.{c}.{s}".upper(), "token_malformed"),
    "the claims as they are read": (lambda h, c, s: f"{h}.{decode(c).decode()}.{s}", "credential_ambiguous"),
    "base64url twice": (lambda h, c, s: encode(f"{h}.{c}.{s}".encode()), "token_malformed"),
    "a token longer than 16 KiB": (lambda h, c, s: f"{h}.{c}.{s}{'A' * 16_384}", "token_too_large"),
}


def compact_json(value):
    return json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize("name", FORMS)
def test_form(world, url, name):
    """Rule F1."""
    make, reason = FORMS[name]
    token = signed(url)
    world.refuses(make(*token.split(".")), reason, beside=token)


@pytest.mark.parametrize("algorithm", ["RSA-OAEP-256", "dir"])
def test_an_encrypted_token_is_not_a_signed_one(world, url, algorithm):
    """CVE-2023-51774: what anybody can make who has the public key must not be taken for what its owner signed."""
    key = jwk.RSAKey.generate_key(2048) if algorithm != "dir" else jwk.OctKey.generate_key(256)
    header = {"alg": algorithm, "enc": "A256GCM", "kid": GOOD}
    encrypted = jwe.encrypt_compact(header, json.dumps(claims_of(url)).encode(), key, algorithms=[algorithm, "A256GCM"])
    world.refuses(encrypted, "token_encrypted", beside=signed(url))


# What is made of one part. `None` where its length does not allow the defect.
SPELLINGS = {
    "padding": (lambda part: padded(part), "token_malformed"),
    "padding where none belongs": (lambda part: part + "=", "token_malformed"),
    "padding, four times": (lambda part: part + "====", "token_malformed"),
    "escaped padding": (lambda part: part + "%3D", "token_malformed"),
    "the standard alphabet": (lambda part: part.replace("-", "+").replace("_", "/"), "token_malformed"),
    "the lowest spare bit": (lambda part: with_a_spare_bit(part), "token_malformed"),
    "every spare bit": (lambda part: with_spare_bits(part), "token_malformed"),
    "a single letter more": (lambda part: part + "A" * (1 + -len(part) % 4), "token_malformed"),
    "a line feed inside": (lambda part: part[:20] + "\n" + part[20:], "credential_malformed"),
    "CR LF inside": (lambda part: part[:20] + "\r\n" + part[20:], "credential_malformed"),
    "a space inside": (lambda part: part[:20] + " " + part[20:], "credential_malformed"),
    "a space before its end": (lambda part: part[:-1] + " " + part[-1], "credential_malformed"),
    "a tab inside": (lambda part: part[:20] + "\t" + part[20:], "credential_malformed"),
    "a vertical tab inside": (lambda part: part[:20] + "\v" + part[20:], "credential_malformed"),
    "a line separator inside": (lambda part: part[:20] + "\u2028" + part[20:], "credential_malformed"),
    "NUL inside": (lambda part: part[:20] + "\0" + part[20:], "token_malformed"),
    "a soft hyphen inside": (lambda part: part[:20] + "\u00ad" + part[20:], "token_malformed"),
    "a letter that is none of base64url": (lambda part: part[:20] + "!" + part[21:], "token_malformed"),
    "a letter beyond ASCII": (lambda part: part[:20] + "\u00e9" + part[21:], "token_malformed"),
}


def padded(part):
    return part + "=" * (-len(part) % 4) if len(part) % 4 else None


def with_a_spare_bit(part):
    return part[:-1] + ALPHABET[ALPHABET.index(part[-1]) ^ 1] if len(part) % 4 else None


def with_spare_bits(part):
    spare = {0: 0, 2: 15, 3: 3}[len(part) % 4]
    return part[:-1] + ALPHABET[ALPHABET.index(part[-1]) | spare] if spare else None


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("position", [0, 1, 2], ids=["header", "claims", "signature"])
def test_spelling_of_a_part(world, url, position, name):
    """Rule F2. A lenient reader finds the same bytes in it; the signature is over the letters that are sent."""
    respell, reason = SPELLINGS[name]
    respelled = 0
    # A part of every length modulo 3, with letters in which the alphabets differ.
    for filler in ["?????", "??????", "???????"]:
        parts = []
        for index, value in enumerate([header_of("ES256"), claims_of(url)]):
            text = json.dumps(value | {"x": filler} if index == position else value)
            parts.append(encode(text.encode()))
        if position == 2:
            token = signed_parts(*parts)
            while not {"-", "_"} & set(token.rpartition(".")[2]):
                token = signed_parts(*parts)
            message, _, signature = token.rpartition(".")
            defective = (other := respell(signature)) and f"{message}.{other}"
        else:
            token = signed_parts(*parts)
            other = respell(parts[position])
            parts[position] = other
            defective = other and signed_parts(*parts)
        if defective:
            world.refuses(defective, reason, beside=token)
            respelled += 1
    assert respelled


# Texts of a header or of claims, each beside one that is JSON and means the same. `@` is what makes them valid.
TEXTS = {
    "a byte order mark": ("\ufeff{@}", " {@}"),
    "a byte order mark at the end": ("{@}\ufeff", "{@}\n"),
    "an anti-hijacking prefix": (")]}',\n{@}", "\r\n\t {@}"),
    "text before": ("x{@}", "{@}"),
    "another object after": ("{@}{}", "{@} "),
    "the same object again": ("{@}{@}", "{@}"),
    "text after": ("{@} x", "{@}  "),
    "a NUL after": ("{@}\0", "{@}"),
    "a brace after": ("{@}}", '{@,"x":{}}'),
    "no brace at the end": ("{@", "{@}"),
    "no brace at all": ("@", "{@}"),
    "an array around": ("[{@}]", "{@}"),
    "a string around": ('"{@}"', "{@}"),
    "an empty array": ("[]", "{@}"),
    "an array of arrays": ('[["alg","ES256"],["kid","good"]]', "{@}"),
    "a number": ("1", "{@}"),
    "a string": ('"text"', "{@}"),
    "null": ("null", "{@}"),
    "true": ("true", "{@}"),
    "nothing but a blank": (" ", "{@}"),
    "form encoding": ("alg=ES256&kid=good", "{@}"),
    "UTF-16": ("{@}".encode("utf-16-be").replace(b"\0@", b"@"), b"{@}"),
    "Latin 1": (b'{@,"x":"\xe9"}', b'{@,"x":"\xc3\xa9"}'),
    "a lone continuation byte": (b'{@,"x":"\x80"}', b'{@,"x":"\xc2\x80"}'),
    "an overlong slash": (b'{@,"x":"\xc0\xaf"}', b'{@,"x":"/"}'),
    "an overlong NUL": (b'{@,"x":"\xc0\x80"}', b'{@,"x":"\\u0000"}'),
    "a surrogate in UTF-8": (b'{@,"x":"\xed\xa0\x80"}', b'{@,"x":"\xed\x9f\xbf"}'),
    "a pair of surrogates in UTF-8": (b'{@,"x":"\xed\xa0\xbd\xed\xb8\x80"}', b'{@,"x":"\xf0\x9f\x98\x80"}'),
    "beyond Unicode": (b'{@,"x":"\xf4\x90\x80\x80"}', b'{@,"x":"\xf4\x8f\xbf\xbf"}'),
    "half a character": (b'{@,"x":"\xf0\x9f\x98"}', b'{@,"x":"\xf0\x9f\x98\x80"}'),
    "invalid UTF-8 in a name": (b'{@,"\xff":1}', b'{@,"\xc3\xbf":1}'),
    "invalid UTF-8 after": (b"{@}\xff", b"{@}"),
    "a lone high surrogate": ('{@,"x":"\\ud83d"}', '{@,"x":"\\ud83d\\ude00"}'),
    "a lone low surrogate": ('{@,"x":"\\ude00"}', '{@,"x":"\\u00de"}'),
    "surrogates in the wrong order": ('{@,"x":"\\ude00\\ud83d"}', '{@,"x":"\\ud83d\\ude00"}'),
    "a high surrogate and a letter": ('{@,"x":"\\ud83dx"}', '{@,"x":"\\ud83d\\ude00x"}'),
    "a lone surrogate in a name": ('{@,"\\ud83d":1}', '{@,"\\ud83d\\ude00":1}'),
    "a lone surrogate further down": ('{@,"x":[{"y":"\\ud83d"}]}', '{@,"x":[{"y":"\\ud83d\\ude00"}]}'),
    "a member twice": ('{@,"x":1,"x":1}', '{@,"x":1,"X":1}'),
    "a member twice, with other values": ('{"x":null,@,"x":[]}', '{"x":null,@,"y":[]}'),
    "a member twice, once escaped": ('{@,"x":1,"\\u0078":2}', '{@,"x":1,"\\u0079":2}'),
    "an empty name twice": ('{@,"":1,"":2}', '{@,"":1," ":2}'),
    "every member twice": ("{@,@}", "{@}"),
    "a member twice in an object": ('{@,"x":{"y":1,"y":1}}', '{@,"x":{"y":1,"z":1}}'),
    "a member twice in an object in arrays": ('{@,"x":[[{"y":1,"y":2}]]}', '{@,"x":[[{"y":1},{"y":2}]]}'),
    "a member twice, far down": ('{@,"x":{"x":{"x":{"y":1,"y":1}}}}', '{@,"x":{"x":{"x":{"y":1}}}}'),
    "arrays in arrays": ('{@,"x":' + "[" * 40 + "]" * 40 + "}", '{@,"x":' + "[" * 20 + "]" * 20 + "}"),
    "objects in objects": ('{@,"x":' + '{"x":' * 40 + "1" + "}" * 41, '{@,"x":' + '{"x":' * 20 + "1" + "}" * 21),
    "arrays, thousands deep": ('{@,"x":' + "[" * 5000 + "]" * 5000 + "}", '{@,"x":[[]]}'),
    "arrays that never end": ('{@,"x":' + "[" * 10_000, '{@,"x":[]}'),
    "NaN": ('{@,"x":NaN}', '{@,"x":null}'),
    "infinity": ('{@,"x":Infinity}', '{@,"x":1e300}'),
    "negative infinity": ('{@,"x":-Infinity}', '{@,"x":-1e300}'),
    "a leading zero": ('{@,"x":01}', '{@,"x":0.1}'),
    "a plus sign": ('{@,"x":+1}', '{@,"x":-1}'),
    "no digit before the point": ('{@,"x":.5}', '{@,"x":0.5}'),
    "no digit after the point": ('{@,"x":1.}', '{@,"x":1.0}'),
    "hexadecimal": ('{@,"x":0x10}', '{@,"x":16}'),
    "a comma at the end": ("{@,}", "{@}"),
    "a comma at the end of an array": ('{@,"x":[1,]}', '{@,"x":[1]}'),
    "two commas": ('{@,,"x":1}', '{@,"x":1}'),
    "no comma": ('{@ "x":1}', '{@ ,"x":1}'),
    "a comment": ("{@/* x */}", "{@ }"),
    "a comment at the end of the line": ("{@ // x\n}", "{@ \n}"),
    "a comment after": ("{@}# x", "{@}"),
    "single quotes": ("{@,'x':1}", '{@,"x":1}'),
    "no quotes": ("{@,x:1}", '{@,"x":1}'),
    "a line feed in a string": ('{@,"x":"\n"}', '{@,"x":"\\n"}'),
    "a NUL in a string": ('{@,"x":"\0"}', '{@,"x":"\\u0000"}'),
    "an escape that there is not": ('{@,"x":"\\x41"}', '{@,"x":"\\u0041"}'),
    "half an escape": ('{@,"x":"\\u00"}', '{@,"x":"\\u0000"}'),
    "True": ('{@,"x":True}', '{@,"x":true}'),
    "undefined": ('{@,"x":undefined}', '{@,"x":null}'),
    "no value": ('{@,"x":}', '{@,"x":""}'),
    "a form feed between": ("{@\f}", "{@\t}"),
    "a no-break space between": ("{@\u00a0}", "{@ }"),
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("part", ["header", "claims"])
def test_text(world, url, part, name):
    """Rule F3: one JSON object in UTF-8, nothing else, and nothing that two readers could read differently."""
    defective, sound = (
        signed(url, **{part: text if isinstance(text, bytes) else text.encode()}) for text in TEXTS[name]
    )
    world.refuses(defective, "token_malformed", beside=sound)
