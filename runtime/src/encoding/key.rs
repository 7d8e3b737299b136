//! The keys of attributes, prepared at compile time.

/// Keys up to this length are encoded at compile time.
const MOST_ENCODED: usize = 32;

/// How many bytes stand before the key in the field of an attribute.
const BEFORE_KEY: usize = 4;

/// How long the field of an attribute is at most, up to the first bytes of its value.
const FIELD: usize = BEFORE_KEY + MOST_ENCODED + 4;

/// The key of an attribute, with what the recorder would find out about the key each time. Expansions keep their keys in
/// constants.
#[derive(Debug)]
pub struct Key<'a> {
    pub(crate) text: &'a str,
    pub(crate) mark: KeyMark,
    /// How long the key is, if the field below has it.
    length: u8,
    /// The field of an attribute with this key up to the value, and room for the first bytes of that.
    field: [u8; FIELD],
}

impl<'a> Key<'a> {
    /// Prepares a key.
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut field = [0; FIELD];
        let length = if bytes.len() <= MOST_ENCODED { bytes.len() } else { 0 };
        // The attributes of a span are its field 9: a message whose field 1 is the key.
        field[0] = 9 << 3 | 2;
        field[2] = 1 << 3 | 2;
        field[3] = low_byte(length);
        let mut index = 0;
        while index < length {
            field[BEFORE_KEY + index] = bytes[index];
            index += 1;
        }
        Self { text, mark: KeyMark::of(text), length: low_byte(length), field }
    }

    /// Whether [`write`](Self::write) can write the key.
    #[inline]
    pub(crate) fn is_encoded(&self) -> bool {
        self.length != 0
    }

    /// Writes an attribute with this key up to the first bytes of its value: the tag of the value, its length, and two
    /// bytes of its own, of which `used` says how many of the four there are.
    #[inline]
    pub(crate) fn write(&self, bytes: &mut Vec<u8>, value: [u8; 4], used: usize) {
        let start = bytes.len();
        // All of it, since so many bytes are copied faster than fewer whose number is not known at compile time.
        bytes.extend_from_slice(&self.field);
        let end = BEFORE_KEY + usize::from(self.length);
        if let Some(field) = bytes.get_mut(start..start + FIELD)
            && end <= FIELD - 4
        {
            field[1] = self.length + 4 + value[1];
            field[end..end + 4].copy_from_slice(&value);
        }
        bytes.truncate(start + end + used);
    }
}

/// One of 128 bits for each key, so that most keys that differ are known to differ without comparing them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyMark {
    is_upper: bool,
    bit: u64,
}

#[expect(clippy::cast_possible_truncation, reason = "the numbers are small")]
const fn low_byte(number: usize) -> u8 {
    number as u8
}

impl KeyMark {
    /// By the key's length and three of its bytes: the first, the last, and one between.
    pub(crate) const fn of(key: &str) -> Self {
        let (bytes, length) = (key.as_bytes(), key.len());
        let (first, middle, last) =
            if length == 0 { (0, 0, 0) } else { (bytes[0], bytes[length / 2], bytes[length - 1]) };
        let all = u32::from_le_bytes([last, middle, first, low_byte(length)]);
        // Fibonacci hashing: the highest bits are mixed best.
        let [.., mixed] = all.wrapping_mul(0x9e37_79b9).to_le_bytes();
        Self { is_upper: mixed & 0x80 != 0, bit: 1 << (mixed >> 1 & 63) }
    }
}

/// The marks of some keys.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeyMarks([u64; 2]);

impl KeyMarks {
    /// Whether one of the keys may be this one.
    #[inline]
    pub(crate) fn contain(self, mark: KeyMark) -> bool {
        self.0[usize::from(mark.is_upper)] & mark.bit != 0
    }

    #[inline]
    pub(crate) fn insert(&mut self, mark: KeyMark) {
        self.0[usize::from(mark.is_upper)] |= mark.bit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_span_rarely_share_a_mark() {
        let keys = [
            "http.request.method",
            "http.response.status_code",
            "http.route",
            "url.path",
            "url.scheme",
            "url.query",
            "server.address",
            "server.port",
            "client.address",
            "user_agent.original",
            "network.protocol.version",
            "error.type",
        ];
        let mut marks = KeyMarks::default();
        let mut shared = 0;
        for key in keys {
            shared += usize::from(marks.contain(KeyMark::of(key)));
            marks.insert(KeyMark::of(key));
        }
        assert!(shared <= 2, "{shared} of {}", keys.len());
        assert!(keys.iter().all(|key| marks.contain(KeyMark::of(key))));
    }

    #[test]
    fn keys_differ_by_their_lengths_their_ends_and_their_middles() {
        let mark = |key| {
            let KeyMark { is_upper, bit } = KeyMark::of(key);
            (is_upper, bit)
        };
        for other in ["abcda", "bbcde", "abdde", "abcdef", ""] {
            assert_ne!(mark("abcde"), mark(other), "{other}");
        }
        assert_eq!(mark("abcde"), mark("axcxe"));
    }

    #[test]
    fn there_are_128_marks() {
        let marks: std::collections::HashSet<_> = (0..10_000)
            .map(|number: u32| KeyMark::of(&number.to_string()))
            .map(|mark| (mark.is_upper, mark.bit))
            .collect();
        assert_eq!(marks.len(), 128);
    }

    #[test]
    fn keys_up_to_32_bytes_are_encoded() {
        for (length, is_encoded) in [(0, false), (1, true), (32, true), (33, false)] {
            assert_eq!(Key::new(&"k".repeat(length)).is_encoded(), is_encoded, "{length}");
        }
        let mut bytes = vec![7];
        Key::new("ab").write(&mut bytes, [18, 2, 24, 5], 4);
        assert_eq!(bytes, [7, 74, 8, 10, 2, b'a', b'b', 18, 2, 24, 5]);
    }
}
