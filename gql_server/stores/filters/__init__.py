"""MLflow's filter strings, read without MLflow, so that they mean the same with every version of MLflow.

`tokens` and `operands` find words, quotes and numbers where sqlparse finds them, with which MLflow reads a
filter; `clauses` has the grammar, `rules` what can be compared. `RUN_FILTERS`, `EXPERIMENT_FILTERS` and
`MODEL_FILTERS` return typed comparisons. A property test compares them with MLflow 2.3.2 and 3.18.0.

Where these differ, this package follows 3.18.0:

- 2.3.2 has no datasets, no IS NULL and IS NOT NULL, and no `experiment_id` of experiments. Its lists are for
  `run_id` only, without double quotes and spaces at their ends, and it drops ids without a small letter.
- Before 3.18, experiments have no prefix `attributes`.
- NaN matches != only. On databases, 2.3.2 compares the 0 that stands for it.
- Some messages about filters that both refuse.

Where MLflow's stores disagree, or nobody could expect what MLflow does, this package differs from both:

- What MLflow's parser accepts and its stores refuse is refused here, such as ==, NOT LIKE, and = with a list.
- LIKE and ILIKE may be in small letters for experiments too, as on MLflow's file stores.
- A pattern of LIKE has no escapes: a backslash matches itself. On PostgreSQL and MySQL it escapes for MLflow.
- ILIKE folds A to Z only. MLflow leaves other letters to the database.
- An exponent may have a plus sign, as Python and JSON write it.
- Times of experiments may have fractions. 3.18.0 refuses these on databases.
- A keyword of SQL is a key after a space, an arrow or two colons, and a prefix before a digit, as in
  `parameter.1x`. sqlparse finds neither.
- ASC or DESC after a key is not part of the key, and neither is a second word before IS NULL.
- Comments are refused, except in lists, and so are other constructs of SQL that sqlparse knows, such as CASE.
- A filter may have more than 10,000 tokens.
"""
