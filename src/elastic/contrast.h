// SPDX-License-Identifier: GPL-3.0-or-later
//
// Moduli that vary with the structure: mu(x) = mu0 (1 + h(x)), h = contrast/2 g, with g interpolated between the sites
// by its Fourier series, and either the bulk modulus uniform or Poisson's ratio.
//
// The stress follows from sigma = mean + S (e* + M sigma), M(x) = C(x)^-1 - C0^-1 and S the operator of the uniform
// body (`stz_elastic_along`): b = M sigma is an eigenstrain that stands for the other moduli (J. D. Eshelby, Proc. R.
// Soc. A 241, 376, 1957; T. Mura, Micromechanics of Defects in Solids, 1987, ch. 4). Two things are made of it, once:
//   loading  B(x): a uniform mean stress m drives a site by B m, and by reciprocity an event of strain e there makes
//            the mean strain B^T e Omega/V. To the end of the series, on a grid 1.5 times finer than the sites': on the
//            sites' own the products of fields alias.
//   dress    D(x): the kernel of events is D(x) K(x - x0) D(x0), D^2 = s (1 + h filtered by a Gaussian of 0.30 nm). It
//            is symmetric, so that there is an energy, and right for domains that are wide; docs/theory.md says how
//            much of the exact field it holds.
// s scales the moduli so that the effective Young's modulus is that of the uniform body.
#ifndef STZ_ELASTIC_CONTRAST_H
#define STZ_ELASTIC_CONTRAST_H

#include <stdbool.h>

#include "elastic/elastic.h"

typedef struct stz_contrast stz_contrast;

// Fails with STZ_EINPUT where moduli cannot be solved for if a site has the structure g. Local. What else may be wrong
// shows when they are solved for: moduli between the sites, and whether the series converges.
stz_err stz_contrast_check(double contrast, double g) STZ_MUST_USE;

// Collective. `structure`: g of the local sites. The grid and the operator must outlive it. Each rank keeps its own
// sites; the first has all as long as it is made. Fails with STZ_EINPUT if a modulus comes near zero; with STZ_ENUMERIC
// if the series does not converge.
stz_err stz_contrast_create(const stz_grid *grid, const stz_elastic *elastic, const stz_elastic_params *params,
                            const float *structure, stz_contrast **contrast) STZ_MUST_USE;
void stz_contrast_destroy(stz_contrast **contrast);

// Memory of a rank with so many sites; on the first, while it is made, of a box of so many; s per site that this takes.
// For `check`.
double stz_contrast_bytes(double sites);
double stz_contrast_work_bytes(double sites);
#define STZ_CONTRAST_SETUP_S 1.2e-5

double stz_contrast_effective(const stz_contrast *contrast);  // effective shear modulus over that of h = 0
double stz_contrast_most_dress(const stz_contrast *contrast); // D is nowhere above
// No site's driving stress under the mean stress has a larger norm.
double stz_contrast_most(const stz_contrast *contrast, const double mean[6]);

// Collective: from now on every rank knows B and D of this site, by its global index, until it looks at another one. Of
// one rank, or the site that was looked at last, without a message.
void stz_contrast_look(stz_contrast *contrast, int64_t site);

// What follows is local; sites by their global index, of this rank or the one that was looked at last.
// Stress and strain: deviators [5], or tensors [6].

// D of a site.
float stz_contrast_dress(const stz_contrast *contrast, int64_t site);

// The driving stress at a site under the mean stress, deviator components (out).
void stz_contrast_load(const stz_contrast *contrast, int64_t site, const double mean[6], double drive[5]);

// The strain (out) whose share Omega/V the mean strain grows by when an event of strain `event` happens at a site.
void stz_contrast_mean_strain(const stz_contrast *contrast, int64_t site, const double event[6], double strain[6]);

// Keeps what the functions below need under a mean stress with one component that is not 0, which they then find
// faster, with the same bits. Local; not while another thread uses the contrast.
void stz_contrast_aim(stz_contrast *contrast, const double mean[6]);

// What the mean stress and a uniform stress of the events do to the sites.
typedef struct stz_loading {
  int only;    // the component of the mean stress that is not 0; -1: several
  float scale; // times what `parts` says: the unit of that component, or the whole
  double parts[6];
  float uniform[5];
} stz_loading;
stz_loading stz_contrast_loading(const double mean[6], const double uniform[5]); // `uniform` may be NULL: 0

// Of n sites of this rank from `first` on, both multiples of 8. dress_rows: s = D s, one component; load_rows: s = s +
// B mean.
void stz_contrast_dress_rows(const stz_contrast *contrast, int64_t first, int n, float *s);
void stz_contrast_load_rows(const stz_contrast *contrast, const stz_loading *loading, int64_t first, int n,
                            float *const s[5]);

// Of rows of 8 sites of this rank, the first at `first`, each `step` sites after the one before, both multiples of 8:
// to = D (from + uniform) + B mean. `from` and `to` hold one row after the other.
void stz_contrast_drive_rows(const stz_contrast *contrast, const stz_loading *loading, int64_t first, int64_t step,
                             int rows, const float *const from[5], float *const to[5]);

// As drive_rows, of single sites by their local index, in place.
void stz_contrast_drive_list(const stz_contrast *contrast, const stz_loading *loading, int n, const int32_t *sites,
                             float *const s[5]);

// Exact fields, with contrast_model = "exact" alone (one rank); false without a contrast. The strain of events goes in,
// the event's own times Omega/a^3 at each site, component c of the deviator in stz_contrast_events(c), c < 5, one
// number per site. Each call uses them up.
bool stz_contrast_exact(const stz_contrast *contrast);
double *stz_contrast_events(const stz_contrast *contrast, int c);
void stz_contrast_event(const stz_contrast *contrast, int64_t site, const double strain[5]); // in goes this one alone

// What moduli that vary add to the driving stress of the uniform body of moduli mu0, times stz_contrast_scale: into
// stz_contrast_events(c), c < 6. By a fixed number of terms of the series: linear, and symmetric for any number. The
// stress of that body is to be multiplied by the scale as well.
void stz_contrast_correct(const stz_contrast *contrast, int terms);
double stz_contrast_scale(const stz_contrast *contrast);
int stz_contrast_terms(const stz_contrast *contrast); // that leave less than the factor D does until the next time
enum { STZ_CONTRAST_MOST_TERMS = 16 };                // that leave next to nothing

// The whole driving stress, deviator and trace/sqrt3 (out), one number per site each.
stz_err stz_contrast_whole(const stz_contrast *contrast, double *const stress[6]) STZ_MUST_USE;

#endif
