"""Parts of benches that need the product's own pieces put together; ``kangle bench`` runs the programs around them."""
