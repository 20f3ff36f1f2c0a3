"use strict"; // What only the pages of the settings need.
