"""Makes small tokenizers of each supported kind, and what the reference makes of some texts.

    pip install tokenizers
    python make.py                     the fixtures of this folder
    python make.py FOLDER COUNT SEED   COUNT random texts per tokenizer, to compare at length:
                                       SPARSIFY_TOKENIZER_CASES=FOLDER swift test -c release --filter Golden

Each KIND.tokenizer.json has the normalizer, pre-tokenizer, decoder and model settings that the named
family publishes, and a small vocabulary trained on the text below. KIND.cases.json has an entry for each
text of texts.json: the ids (encode, no special tokens added) and, if it is not the text itself, what they
decode to (special tokens kept).
"""

import json
import os
import random
import sys
from collections import Counter

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")

TRAINING = """
The quick brown fox jumps over the lazy dog, and it's not the first time: they've done so 1,234 times since 1999.
I'll say we're sure you'd think that I'm here, and that she doesn't know what the others didn't tell.
A small model reads the weights of a layer, keeps the two largest of every four, and writes the rest as zeros.
Zażółć gęślą jaźń. Być albo nie być, oto jest pytanie. Crème brûlée, déjà vu, naïve façade, Ångström, garçon.
Ας μιλήσουμε για τα ελληνικά και το φως της ημέρας. Съешь же ещё этих мягких французских булок да выпей чаю.
敏捷的棕色狐狸跳过了懒狗。今天天气很好，我们去公园散步吧。吾輩は猫である。名前はまだ無い。안녕하세요 세계, 반갑습니다.
שלום עולם, מה שלומך היום? مرحبا بالعالم كيف حالك اليوم؟ नमस्ते दुनिया, आप कैसे हैं? สวัสดีชาวโลก
def main(args):\n    for i in range(10):\n        if args[i] == "x":\n            print(f"{i}: {args[i]}")\n\treturn 0
👍 👩‍👩‍👧‍👦 🇩🇪 😀😀 ½ ² ³ Ⅷ ٣ ४ → ≤ € £ – — … “quotes” ‘single’
""" * 4

TEXTS = [
    "", " ", "  ", "a", " a", "a ", "  a  b  ", "Hello world", "Hello, world! How's it going?",
    "I'm you're he's she'd we'll they've isn't", "I'M YOU'RE HE'S SHE'D WE'LL THEY'VE ISN'T", "'s't're 'S ''s '' ' 'ſ x'ſy 'LL 'lL 'Re",
    "rock 'n' roll, the dogs' bones, o'clock’s ’s", "0 1 12 123 1234 12345 3.14159 1,000,000 -7 1e10 0x1F", "abc123def456 7th 2nd",
    "٣٤٥ ४५६ ½ ² Ⅷ ①②③ 万", "你好，世界！今天是2024年1月1日。", "吾輩は猫である。ｶﾀｶﾅ 全角１２３　空白", "안녕하세요 세계 한글 각",
    "👍👍🏽 👩‍👩‍👧‍👦 🇩🇪🇫🇷 ☺️ #️⃣", "e\u0301 é n\u0303 ñ A\u030a Å \u212b \u1e9b\u0323 q\u0307\u0323 q\u0323\u0307", "Zalgo: Z\u0351\u036b\u0343\u036a\u0302a\u0334\u0315l\u031b",
    "שלום עולם مرحبا بالعالم \u200fRTL\u200e \u202bmark\u202c", "नमस्ते दुनिया क्षत्रिय สวัสดี ஸ்ரீ", "\u0958\u0344\u2adc\ufb1d\u1d15e\uf900\ufa10\u2f800\u1100\u1161\u11a8 \uac00\u11a8",
    "a\tb\t\tc\n\nd\r\ne\r\rf\n \n\t\n g", "line one\nline two\n\n\nline three   \n   four", "trailing spaces   ", "trailing newline\n", "\n", "\r\n", " \n ", "\t", "\n\n  \n\n", "!\n!\r\n\r\n?",
    "   leading", "\u00a0nbsp\u00a0\u00a0x \u2003em\u3000ideographic\u2028line\u2029para\u0085nel\u1680ogham\u180emongolian\u200bzero\ufeffbom",
    "\x00\x01\x02\x07\x08\x0b\x0c\x1b\x1c\x1d\x1e\x1f\x7f\x80\x9f", "a" * 200, "ab" * 150, "the" * 60, "é" * 50, "中" * 70, " " * 100, "\n" * 33, "1" * 50, "!" * 65, "▁▁a ▁b▁ c▁d ▁", "a▁ ▁b", "Ġthe Ċ ġ",
    "def f(x):\n    return x**2  # square\n\n\nclass A(B):\n\tpass\n", "<html><body class=\"x\">&amp;</body></html>", "https://example.com/a/b?c=d&e=f#g user@example.com", "C:\\path\\to\\file.txt $HOME ${x} `cmd`",
    "{\"key\": [1, 2.5, null, true], \"s\": \"\\u00e9\"}", "x=1;y=2;z=x+y;", "“Curly” ‘quotes’ – en — em … ellipsis", "ﬁ ﬂ ﬆ ß ẞ İ ı ǅ ʰ ª º", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟏𝟐𝟑 𐍈 \U0010ffff \uffff \ue000 \ufffd",
    "<|endoftext|>", "a<|endoftext|>b", "<|endoftext|><|endoftext|>", " <|endoftext|> ", "<|endoftext", "<s>Hello</s>", "a <s> b </s> c", "<unk> x<unk>y", "<0x41> <0x0A><0xZZ>", "left <lstrip> right <lstrip>", "<lstrip>", "left <rstrip>  \n right<rstrip>",
    "a<both>b  <both>  c <both>", "word wordy sword word, word_ _word word1 -word- éword wordé", "word", "wordword word", "new token newtoken new  token", "Łódź \u0141o\u0301dz\u0301 ŁÓDŹ Łódź.", "xŁódźx", "e\u0301\u0301<both>\u0301a",
    "  <|endoftext|>  hi", "<s> hi", "<s>  hi", "hi<s>", "\n<s>\n", "tokenid tokenidentity tokenide tokeni",
]

ADDED = [
    AddedToken("<lstrip>", lstrip=True, normalized=False), AddedToken("<rstrip>", rstrip=True, normalized=False),
    AddedToken("<both>", lstrip=True, rstrip=True, normalized=True), AddedToken("word", single_word=True, normalized=False),
    AddedToken("new token", normalized=True), AddedToken("Łódź", normalized=True, single_word=True),
    AddedToken("tokenid", normalized=False), AddedToken("tokenidentity", normalized=False),
]


def byte_level(kind, pre_tokenizer, normalizer=None, vocabulary=640, decoder=None, special=("<|endoftext|>",), alphabet=True, added=True, **model):
    t = Tokenizer(models.BPE(**model))
    if normalizer: t.normalizer = normalizer
    t.pre_tokenizer = pre_tokenizer
    t.decoder = decoder or decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=list(special), show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if alphabet else [])
    t.train_from_iterator(TRAINING.split("\n"), trainer)
    if added: t.add_tokens(ADDED)
    return kind, t


LLAMA2_DECODER = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
LLAMA2_NORMALIZER = [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]


def sentencepiece(kind, normalizer, pre_tokenizer, decoder, vocabulary=700, bytes=True, across=False, added=True, **model):
    """As SentencePiece trains: no token reaches across a space, unless `across`."""
    specials = ["<unk>", "<s>", "</s>"] + ([f"<0x{b:02X}>" for b in range(256)] if bytes else [])
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=bytes))
    if across:
        t.normalizer = normalizers.Sequence(LLAMA2_NORMALIZER)
    else:
        t.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme="always", split=True)
    # The commonest characters, chosen here since the trainer settles ties by chance.
    counts = Counter(TRAINING.replace(" ", "▁").replace("\n", ""))
    alphabet = sorted(counts, key=lambda c: (-counts[c], c))[:120]
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=specials, show_progress=False,
                                  initial_alphabet=alphabet, limit_alphabet=len(alphabet))
    t.train_from_iterator(TRAINING.split("\n"), trainer)
    state = json.loads(t.to_str())
    state["added_tokens"] = [x for x in state["added_tokens"] if not x["content"].startswith("<0x")]
    state["model"].update(model)
    t = Tokenizer.from_str(json.dumps(state))
    t.normalizer = normalizers.Sequence(normalizer) if normalizer else None
    t.pre_tokenizer = pre_tokenizer
    t.decoder = decoder
    if added: t.add_tokens(ADDED)
    return kind, t


def families():
    split = lambda regex: pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(regex), "isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    metaspace = lambda scheme, cut: pre_tokenizers.Metaspace("▁", prepend_scheme=scheme, split=cut)
    yield byte_level("smollm2", pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]))
    yield byte_level("gpt2", pre_tokenizers.ByteLevel(add_prefix_space=False))
    yield byte_level("gpt2-prefix-space", pre_tokenizers.ByteLevel(add_prefix_space=True))
    yield byte_level("gpt2-unknown", pre_tokenizers.ByteLevel(add_prefix_space=False), alphabet=False, vocabulary=300, special=("<unk>",), unk_token="<unk>")
    yield byte_level("llama3", split(LLAMA3), vocabulary=720)
    kind, t = byte_level("llama3-ignore-merges", split(LLAMA3), vocabulary=720, added=False)
    state = json.loads(t.to_str())
    state["model"]["ignore_merges"] = True
    # Words that no merge makes: only ignore_merges finds them.
    for word in ["Ġ123", "123", "Hello", "Ġquickly", "ä½łå¥½"]:
        state["model"]["vocab"][word] = len(state["model"]["vocab"])
    t = Tokenizer.from_str(json.dumps(state))
    t.add_tokens(ADDED)
    yield kind, t
    yield byte_level("qwen2", split(QWEN2), normalizer=normalizers.NFC())
    # Tokenizers converted from tiktoken files cut by removing what lies between the matches.
    yield byte_level("llama3-removed", pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3), "removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]), vocabulary=400)
    yield byte_level("digit-runs", pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.ByteLevel(add_prefix_space=True)]), vocabulary=400)
    yield sentencepiece("llama2", LLAMA2_NORMALIZER, None, decoders.Sequence(LLAMA2_DECODER))
    yield sentencepiece("llama2-across-spaces", LLAMA2_NORMALIZER, None, decoders.Sequence(LLAMA2_DECODER), across=True)
    yield sentencepiece("llama2-metaspace", None, metaspace("first", False), decoders.Sequence(LLAMA2_DECODER))
    yield sentencepiece("mistral-metaspace-always", None, metaspace("always", True), decoders.Metaspace("▁", prepend_scheme="always"))
    yield sentencepiece("metaspace-never", None, metaspace("never", True), decoders.Metaspace("▁", prepend_scheme="never"))
    yield sentencepiece("metaspace-first-split", None, metaspace("first", True), decoders.Sequence(LLAMA2_DECODER))
    yield sentencepiece("unknown-fused", LLAMA2_NORMALIZER, None, decoders.Sequence(LLAMA2_DECODER), bytes=False)
    yield sentencepiece("unknown-apart", LLAMA2_NORMALIZER, None, decoders.Sequence(LLAMA2_DECODER), bytes=False, fuse_unk=False)
    yield sentencepiece("no-unknown", LLAMA2_NORMALIZER, None, decoders.Sequence(LLAMA2_DECODER), bytes=False, unk_token=None)
    kind, t = sentencepiece("some-bytes", LLAMA2_NORMALIZER, None, decoders.Sequence(LLAMA2_DECODER))
    state = json.loads(t.to_str())
    # Without some bytes' tokens some characters fall back and others are unknown.
    gone = [f"<0x{byte:02X}>" for byte in list(range(0x80, 0xA0)) + [0xE4, 0xF0]]
    vocabulary = state["model"]["vocab"]
    state["model"]["vocab"] = {("gone" + token if token in gone else token): id for token, id in vocabulary.items()}
    yield kind, Tokenizer.from_str(json.dumps(state))


def random_text(rng):
    pools = [
        lambda: chr(rng.randrange(0x20, 0x7F)), lambda: chr(rng.randrange(0, 0x100)), lambda: rng.choice(" \n\t\r\u00a0\u3000 "),
        lambda: rng.choice("'’"), lambda: rng.choice(["'s", "'LL", "'ve ", " the", "0", "1", "9", "▁", "word", "Łódź", "new token", "tokenid"]),
        lambda: chr(rng.randrange(0x300, 0x370)), lambda: chr(rng.randrange(0x4E00, 0x9FFF)), lambda: chr(rng.randrange(0xAC00, 0xD7A4)),
        lambda: chr(rng.randrange(0x1100, 0x1200)), lambda: chr(rng.choice([rng.randrange(0, 0xD800), rng.randrange(0xE000, 0x110000)])),
        lambda: rng.choice(["<s>", "</s>", "<unk>", "<|endoftext|>", "<lstrip>", "<rstrip>", "<both>", "<0x41>"]),
        lambda: chr(rng.randrange(0x1F300, 0x1FAFF)), lambda: rng.choice("abcdefgh éäöü"), lambda: rng.choice(TRAINING.split()),
        lambda: rng.choice(["\u0915\u093c", "\u1100\u1161", "e\u0301", "\u0958", "\u2126", "\ufb2c", "q\u0323\u0307"]),
    ]
    chosen = rng.sample(pools, rng.randrange(1, len(pools)))
    return "".join(rng.choice(chosen)() for _ in range(rng.randrange(0, 60)))


def write(folder, texts, kinds=None):
    with open(f"{folder}/texts.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(text) for text in texts) + "\n]\n")
    for kind, t in families():
        if kinds and kind not in kinds: continue
        cases = []
        for text in texts:
            ids = t.encode(text, add_special_tokens=False).ids
            decoded = t.decode(ids, skip_special_tokens=False)
            cases.append([ids] if decoded == text else [ids, decoded])
        with open(f"{folder}/{kind}.tokenizer.json", "w") as f:
            f.write(t.to_str())
        with open(f"{folder}/{kind}.cases.json", "w") as f:
            f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    folder, count, seed = (sys.argv[1:] + [here, 24, 0][len(sys.argv) - 1:])[:3]
    rng = random.Random(int(seed))
    write(folder, TEXTS + [random_text(rng) for _ in range(int(count))])
