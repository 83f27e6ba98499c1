"""MLflow's filter strings, read without MLflow, so that they mean the same with every version of MLflow.

`tokens` and `operands` find words, quotes and numbers where sqlparse finds them, with which MLflow reads a
filter; `clauses` has the grammar, `rules` what can be compared. `RUN_FILTERS`, `EXPERIMENT_FILTERS` and
`MODEL_FILTERS` return typed comparisons. They were compared with MLflow 2.3.2 and 3.17.2.

Where these differ, this package follows 3.17.2:

- 2.3.2 has no datasets, no IS NULL and IS NOT NULL, and no experiment_id of experiments; and lists only for
  run_id, without double quotes, a space after the parenthesis, or values without a lower-case letter.
- NaN matches != only. On databases, 2.3.2 compares with the 0 that represents it.
- Only the messages differ for some filters that both refuse.

This package differs from both where a difference cannot change what a filter finds, or where they disagree
between stores:

- What MLflow's parser accepts and its stores refuse is refused here, such as ==, NOT LIKE, or = with a list.
- LIKE and ILIKE may be in lower case for experiments too, as on MLflow's file stores but not its databases.
- Times of experiments may have fractions. 3.17.2 refuses these on databases.
- After a space, an arrow or two colons, a keyword of SQL is a key.
- ASC or DESC after a key is no part of the key, and neither is an alias before IS NULL.
- Comments are refused, except in lists, and so are other constructs of SQL that sqlparse knows, such as CASE.
- A filter may have more than 10,000 tokens.
"""
