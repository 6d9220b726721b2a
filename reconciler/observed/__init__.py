"""What is there: lossless, frozen values with age and completeness. Drivers fill them in; pure rooms read them."""
