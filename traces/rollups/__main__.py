"""Writes the SQL that is made from the catalogue: `python -m traces.rollups`."""

from traces.rollups.files import expected_files


def main() -> None:
    for path, text in expected_files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        print(path)


if __name__ == "__main__":
    main()
