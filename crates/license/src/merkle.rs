//! RFC 6962 Merkle roots: one hash for a list, from which no item can be taken and to which none can be added.

use sha2::{Digest, Sha256};

use crate::{bytes::Hash, payload::WorkloadRow};

/// The hash of one leaf: SHA-256 of `0x00` and its bytes.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Hash::from_bytes(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

fn node_hash(left: Hash, right: Hash) -> Hash {
    Hash::from_bytes(Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into())
}

/// The root over leaves in their order; of no leaves, the SHA-256 of nothing.
pub fn merkle_root<L: AsRef<[u8]>>(leaves: impl IntoIterator<Item = L>) -> Hash {
    root_of_hashes(leaves.into_iter().map(|leaf| leaf_hash(leaf.as_ref())))
}

/// The root over leaf hashes in their order.
pub fn root_of_hashes(leaf_hashes: impl IntoIterator<Item = Hash>) -> Hash {
    // Complete subtrees from left to right, each as (height, hash); heights fall strictly, as the bits of a counter.
    let mut subtrees: Vec<(u32, Hash)> = Vec::new();
    for leaf in leaf_hashes {
        let mut subtree = (0, leaf);
        while let Some((_, left)) = subtrees.pop_if(|top| top.0 == subtree.0) {
            subtree = (subtree.0 + 1, node_hash(left, subtree.1));
        }
        subtrees.push(subtree);
    }
    let hashes = subtrees.into_iter().map(|(_, hash)| hash).rev();
    hashes.reduce(|right, left| node_hash(left, right)).unwrap_or_else(|| Hash::sha256([]))
}

/// The root that a report names over its workload rows; a leaf is the row as compact JSON, fields in declared order.
pub fn evidence_root<'a>(rows: impl IntoIterator<Item = &'a WorkloadRow>) -> Hash {
    merkle_root(rows.into_iter().map(|row| serde_json::to_vec(row).expect("a row is always JSON")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962, section 2.1, word for word.
    fn by_the_book(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => Hash::sha256([]),
            [leaf] => leaf_hash(leaf),
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                node_hash(by_the_book(&leaves[..half]), by_the_book(&leaves[half..]))
            }
        }
    }

    #[test]
    fn equals_the_definition() {
        let leaves: Vec<Vec<u8>> = (0..70_u8).map(|n| vec![n; usize::from(n)]).collect();
        for count in 0..leaves.len() {
            assert_eq!(merkle_root(&leaves[..count]), by_the_book(&leaves[..count]), "{count} leaves");
        }
    }

    #[test]
    fn known_values_of_certificate_transparency() {
        // From the test data of the certificate-transparency project.
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (n, root) in roots.iter().enumerate() {
            assert_eq!(merkle_root(&leaves[..=n]).to_string(), *root, "{} leaves", n + 1);
        }
    }
}
